//! Text from users in Markdown: it cannot become markup, mention anybody, or break a table.

/// An invisible character that is inserted after certain signs, so that no host recognises a mention or a reference.
const APART: &str = "&#8203;";

/// Words in running text. Markdown characters are escaped, so that `@name` mentions nobody and `#1` refers to nothing.
pub(crate) fn words(text: &str) -> String {
    let text = quotree_page::visible(text);
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '@' => out.push_str(&format!("@{APART}")),
            '#' => out.push_str(&format!("\\#{APART}")),
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '~' | '|' | '!' | '&' | '$' => {
                out.push('\\');
                out.push(c);
            }
            // An address would become a link.
            ':' if chars.peek() == Some(&'/') => out.push_str("\\:"),
            '.' if out.ends_with("www") => out.push_str("\\."),
            '-' if out.ends_with("GH") => out.push_str(&format!("-{APART}")),
            c => out.push(c),
        }
    }
    out
}

/// A name or a claim as code, outside of tables.
pub(crate) fn code(text: &str) -> String {
    let text = quotree_page::visible(text);
    if text.trim().is_empty() {
        return "(no name)".to_owned();
    }
    let fence = "`".repeat(longest_run(&text, '`') + 1);
    let pad = if text.starts_with(['`', ' ']) || text.ends_with(['`', ' ']) { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

/// As [`code`], in a cell of a table, where a pipe would end the cell.
pub(crate) fn code_in_cell(text: &str) -> String {
    code(text).replace('|', "\\|")
}

/// A block of code for lines that the reader can copy.
pub(crate) fn block(language: &str, text: &str) -> String {
    let text = text.lines().map(quotree_page::visible).collect::<Vec<_>>().join("\n");
    let fence = "`".repeat((longest_run(&text, '`') + 1).max(3));
    format!("{fence}{language}\n{text}\n{fence}\n")
}

fn longest_run(text: &str, of: char) -> usize {
    text.split(|c| c != of).map(str::len).max().unwrap_or(0)
}

/// A text of at most this many characters; `…` replaces what is cut off.
pub(crate) fn clipped(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_inert() {
        assert_eq!(words("a|b <b>`x` @you #12 _i_"), "a\\|b \\<b\\>\\`x\\` @&#8203;you \\#&#8203;12 \\_i\\_");
        assert_eq!(words("https://x.y www.z.de\nGH-1"), "https\\://x.y www\\.z.de⟨U+000A⟩GH-&#8203;1");
    }

    #[test]
    fn code_has_a_longer_fence_than_its_content() {
        assert_eq!([code("a"), code("a`b"), code("``a")], ["`a`", "``a`b``", "``` ``a ```"]);
        assert_eq!([code(""), code_in_cell("a|b"), code("a\nb")], ["(no name)", "`a\\|b`", "`a⟨U+000A⟩b`"]);
        assert_eq!(block("sh", "a ``` b\n<c>"), "````sh\na ``` b\n<c>\n````\n");
    }

    #[test]
    fn a_long_text_is_cut_off() {
        assert_eq!([clipped("abc", 3), clipped("äbcd", 2)], ["abc", "äb…"]);
    }
}
