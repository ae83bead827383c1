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

/// Characters that are invisible or change the direction of text are shown by their code, so that no name can pose as
/// another.
///
/// ```
/// assert_eq!(quotree_page::visible("a\nb"), "a⟨U+000A⟩b");
/// ```
#[must_use]
pub fn visible(text: &str) -> String {
    let hidden = |c: char| {
        matches!(c, '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}')
            || matches!(c, '\u{2060}'..='\u{2069}' | '\u{feff}')
    };
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if hidden(c) {
            let _ = write!(shown, "⟨U+{:04X}⟩", u32::from(c));
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

/// JSON that is safe inside a script element: `<` and the line ends of scripts are escaped.
pub(crate) fn json_block(json: &str) -> String {
    json.replace('<', "\\u003c").replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029")
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
