//! The writer of HTML and SVG; no other code writes markup. Tags and attribute names are literals of the program. This
//! module escapes every text and every attribute value, so no name can become markup.

use std::fmt::{Display, Write};

/// Markup that is being written.
#[derive(Debug, Default)]
pub(crate) struct Html {
    text: String,
}

/// The attributes of an element.
pub(crate) type Attributes<'a> = &'a [(&'static str, &'a str)];

impl Html {
    /// Opens an element.
    pub(crate) fn open(&mut self, tag: &'static str, attributes: Attributes<'_>) -> &mut Self {
        let _ = write!(self.text, "<{tag}");
        for (name, value) in attributes {
            let _ = write!(self.text, " {name}=\"");
            escape(&visible(value), &mut self.text);
            self.text.push('"');
        }
        self.text.push('>');
        self
    }

    /// Closes an element.
    pub(crate) fn close(&mut self, tag: &'static str) -> &mut Self {
        let _ = write!(self.text, "</{tag}>");
        self
    }

    /// Writes text.
    pub(crate) fn text(&mut self, text: impl Display) -> &mut Self {
        escape(&visible(&text.to_string()), &mut self.text);
        self
    }

    /// Writes an element that contains only text.
    pub(crate) fn leaf(&mut self, tag: &'static str, attributes: Attributes<'_>, text: impl Display) -> &mut Self {
        self.open(tag, attributes).text(text).close(tag)
    }

    /// Writes an SVG element without content.
    pub(crate) fn shape(&mut self, tag: &'static str, attributes: Attributes<'_>) -> &mut Self {
        self.open(tag, attributes).close(tag)
    }

    /// Writes a name, isolated so that it does not change the direction of the text around it.
    pub(crate) fn name(&mut self, name: &str) -> &mut Self {
        self.leaf("bdi", &[], name)
    }

    /// Writes a name that is a link to its details page where scripts run.
    pub(crate) fn story(&mut self, kind: &'static str, name: &str) -> &mut Self {
        let address = format!("#?s={kind}%3A{}", percent_encoded(name));
        self.open("a", &[("class", "link"), ("href", &address)]).name(name).close("a")
    }

    /// Writes parts of the program itself, such as its styles; never data.
    pub(crate) fn program(&mut self, own: &str) -> &mut Self {
        self.text.push_str(own);
        self
    }

    /// The text that was written.
    pub(crate) fn done(self) -> String {
        self.text
    }
}

/// Whether a character is invisible, ends a line, controls a terminal or changes the direction of text: it could make a name pose as
/// another, or as a message of the program.
#[must_use]
pub const fn is_hidden(c: char) -> bool {
    matches!(c,
        // Controls of ASCII and of Latin-1.
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}'
        // Soft hyphens, joiners, fillers and other characters without a shape.
        | '\u{ad}' | '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200d}' | '\u{2060}'..='\u{2065}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
        // Marks and overrides of direction.
        | '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{206f}'
        // Line ends, annotations, tags, and characters that are none.
        | '\u{2028}' | '\u{2029}' | '\u{fff0}'..='\u{fffb}' | '\u{fffe}' | '\u{ffff}' | '\u{e0000}'..='\u{e0fff}')
}

/// The text with its hidden characters ([`is_hidden`]) shown by their codes. Every name that is shown to people goes through this
/// function: in text, on the page, in figures, in Markdown and in files for CI.
///
/// ```
/// assert_eq!(quotree_page::visible("a\nb"), "a⟨U+000A⟩b");
/// ```
#[must_use]
pub fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if is_hidden(c) {
            let _ = write!(shown, "⟨U+{:04X}⟩", u32::from(c));
        } else {
            shown.push(c);
        }
    }
    shown
}

/// JSON with its hidden characters written as `\u` escapes: the values are the same, and a terminal shows them.
///
/// ```
/// assert_eq!(quotree_page::visible_json("[\"a\u{202e}b\"]\n".to_owned()), "[\"a\\u202eb\"]\n");
/// ```
#[must_use]
pub fn visible_json(text: String) -> String {
    let hidden = |c: char| c != '\n' && is_hidden(c);
    if !text.contains(hidden) {
        return text;
    }
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if hidden(c) {
            c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| shown += &format!("\\u{unit:04x}"));
        } else {
            shown.push(c);
        }
    }
    shown
}

fn escape(text: &str, into: &mut String) {
    for c in text.chars() {
        match c {
            '&' => into.push_str("&amp;"),
            '<' => into.push_str("&lt;"),
            '>' => into.push_str("&gt;"),
            '"' => into.push_str("&quot;"),
            '\'' => into.push_str("&#39;"),
            c => into.push(c),
        }
    }
}

fn percent_encoded(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// JSON that is safe inside a script element: `<` and hidden characters, which include the line ends of scripts, are escaped.
pub(crate) fn json_block(json: &str) -> String {
    visible_json(json.replace('<', "\\u003c"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_become_markup() {
        let mut html = Html::default();
        html.leaf("p", &[("title", "\"><b>'")], "</p><script>&");
        assert_eq!(html.done(), "<p title=\"&quot;&gt;&lt;b&gt;&#39;\">&lt;/p&gt;&lt;script&gt;&amp;</p>");
    }

    #[test]
    fn hidden_characters_are_shown() {
        assert_eq!(visible("a\u{202e}b\u{2028}c\nd 😀 é"), "a⟨U+202E⟩b⟨U+2028⟩c⟨U+000A⟩d 😀 é");
        assert_eq!(visible("\u{2066}x\u{ad}\u{e0041}\u{9b}"), "⟨U+2066⟩x⟨U+00AD⟩⟨U+E0041⟩⟨U+009B⟩");
        assert_eq!(visible("naïve – 東京 ✅ ⟨x⟩"), "naïve – 東京 ✅ ⟨x⟩", "what has a shape stays");
    }

    #[test]
    fn addresses_and_blocks_are_inert() {
        let mut html = Html::default();
        html.story("job", "a\"b<ü");
        let expected = "<a class=\"link\" href=\"#?s=job%3Aa%22b%3C%C3%BC\"><bdi>a&quot;b&lt;ü</bdi></a>";
        assert_eq!(html.done(), expected);
        assert_eq!(json_block("\"</script>\u{2028}\""), "\"\\u003c/script>\\u2028\"");
    }
}
