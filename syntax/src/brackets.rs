//! Which bracket of an unbalanced text is wrong. A missing bracket is noticed far from its place, at the next bracket
//! that does not match or at the end of the file. The indentation is a better guide: if the line that closes a bracket
//! has another indentation, the bracket is most likely not closed at all.

use super::{
    diagnostic::{Report, Span},
    lexer::{Kind, Token},
};

/// A bracket that has no partner, as an index into the tokens.
enum Unbalanced {
    /// It is opened, and not closed. `noticed` is the first bracket that does not match it.
    Unclosed { open: usize, noticed: Option<usize> },
    /// It closes a bracket that was not opened.
    Unopened(usize),
}

/// Reports the bracket without a partner, if there is one. Returns its place, since the text after it is probably
/// misread.
pub(crate) fn report(text: &str, source: u32, tokens: &[Token], report: &mut Report) -> Option<usize> {
    let span = |i: usize| tokens.get(i).map(|token| Span::new(source, token.range.clone()));
    match find(text, tokens)? {
        Unbalanced::Unclosed { open, noticed } => {
            let close = tokens.get(open).and_then(bracket).and_then(partner)?;
            let noticed = noticed.and_then(|i| tokens.get(i));
            let before = noticed.and_then(|token| {
                let line = text.get(..token.range.start)?.bytes().filter(|byte| *byte == b'\n').count() + 1;
                Some(format!(" before the `{}` of line {line}", char::from(bracket(token)?)))
            });
            let title = format!("unclosed bracket: `{}` is missing{}", char::from(close), before.unwrap_or_default());
            report.error(span(open)?, title, "opened here");
            tokens.get(open).map(|token| token.range.start)
        }
        Unbalanced::Unopened(close) => {
            let title = format!("`{}` closes no bracket", char::from(bracket(tokens.get(close)?)?));
            report.error(span(close)?, title, "nothing is open here that it could close");
            tokens.get(close).map(|token| token.range.start)
        }
    }
}

fn find(text: &str, tokens: &[Token]) -> Option<Unbalanced> {
    if is_balanced(tokens) {
        return None;
    }
    let lines = lines(text, tokens);
    let mut open: Vec<usize> = Vec::new();
    // The innermost bracket whose partner stands at another indentation.
    let mut suspect = None;
    let count = |wanted: u8| tokens.iter().filter(|token| bracket(token) == Some(wanted)).count();
    for (i, token) in tokens.iter().enumerate() {
        let Some(byte) = bracket(token) else { continue };
        if partner(byte).is_some() {
            open.push(i);
            continue;
        }
        let Some(top) = open.last().copied() else { return Some(Unbalanced::Unopened(i)) };
        let opened = tokens.get(top)?;
        if bracket(opened).and_then(partner) != Some(byte) {
            let opener = [b'(', b'[', b'{'].into_iter().find(|open| partner(*open) == Some(byte))?;
            let is_surplus = count(byte) > count(opener);
            let is_lacking = bracket(opened).is_some_and(|open| partner(open).is_some_and(|c| count(open) > count(c)));
            if is_surplus && !is_lacking {
                return Some(Unbalanced::Unopened(i));
            }
            return Some(Unbalanced::Unclosed { open: suspect.unwrap_or(top), noticed: Some(i) });
        }
        open.pop();
        let (opened_in, closed_in) = (lines.get(top)?, lines.get(i)?);
        let is_alone = closed_in.first == i && closed_in.start != opened_in.start;
        if suspect.is_none() && is_alone && closed_in.indentation != opened_in.indentation {
            suspect = Some(top);
        }
    }
    let innermost = open.last().copied()?;
    Some(Unbalanced::Unclosed { open: suspect.unwrap_or(innermost), noticed: None })
}

/// The bracket of a token, if it is one.
fn bracket(token: &Token) -> Option<u8> {
    match token.kind {
        Kind::Punct(byte @ (b'(' | b')' | b'[' | b']' | b'{' | b'}')) => Some(byte),
        _ => None,
    }
}

/// The bracket that closes this one; nothing for a closing bracket.
const fn partner(open: u8) -> Option<u8> {
    match open {
        b'(' => Some(b')'),
        b'[' => Some(b']'),
        b'{' => Some(b'}'),
        _ => None,
    }
}

fn is_balanced(tokens: &[Token]) -> bool {
    let mut open = Vec::new();
    let mut fits = |byte: u8| match partner(byte) {
        Some(close) => {
            open.push(close);
            true
        }
        None => open.pop() == Some(byte),
    };
    let all_fit = tokens.iter().filter_map(bracket).all(&mut fits);
    all_fit && open.is_empty()
}

/// The line that a token starts on.
#[derive(Clone, Copy)]
struct Line {
    /// The offset of its first byte.
    start: usize,
    indentation: usize,
    /// Its first token.
    first: usize,
}

/// The line of each token, found in one pass over the text.
fn lines(text: &str, tokens: &[Token]) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::with_capacity(tokens.len());
    let mut read_to = 0;
    for (i, token) in tokens.iter().enumerate() {
        let at = token.range.start;
        let newline = text.as_bytes().get(read_to..at).and_then(|between| between.iter().rposition(|b| *b == b'\n'));
        let line = match (newline, lines.last()) {
            (None, Some(before)) => *before,
            (newline, _) => {
                let start = newline.map_or(0, |newline| read_to + newline + 1);
                Line { start, indentation: at - start, first: i }
            }
        };
        lines.push(line);
        read_to = at;
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::super::{Report, Source, parse};

    /// The errors of a text, as `line:column title`.
    fn errors(text: &str) -> Vec<String> {
        let mut report = Report::default();
        parse(text, 0, &mut report);
        let source = Source { path: "x".to_owned(), text: text.to_owned() };
        let told = |d: &crate::Diagnostic| format!("{}:{} {}", d.place.line, d.place.column, d.title);
        report.finish(&[source]).iter().map(told).collect()
    }

    const GOOD: &str = "Scenario(\n    a: [\n        Job(name: \"x\", b: {\"c\": 1}),\n        Job(\n            name: \"y\",\n        ),\n    ],\n    d: 1,\n)\n";

    #[test]
    fn an_unclosed_bracket_is_reported_where_it_is_opened() {
        assert_eq!(errors(GOOD), Vec::<String>::new());
        for (old, new, wanted) in [
            ("1}),", "1}),\n        Job(b: 2,", "4:12 unclosed bracket: `)` is missing before the `]` of line 8"),
            ("a: [", "a: [ # odd", "2:10 `#` starts no comment here"),
            ("{\"c\": 1}", "{\"c\": 1", "3:27 unclosed bracket: `}` is missing before the `)` of line 3"),
            ("        ),\n    ],", "    ],", "4:12 unclosed bracket: `)` is missing before the `]` of line 6"),
            ("    ],\n", "", "2:8 unclosed bracket: `]` is missing before the `)` of line 8"),
            ("d: 1,\n)\n", "d: 1,\n", "1:9 unclosed bracket: `)` is missing"),
        ] {
            assert!(GOOD.contains(old), "{old}");
            assert_eq!(errors(&GOOD.replacen(old, new, 1)), [wanted], "{new}");
        }
        // All brackets are of one kind: only the indentation tells which is not closed.
        let nested = "A(\n    B(\n        c: C(\n            d: 1,\n    ),\n)\n";
        assert_eq!(errors(nested), ["3:13 unclosed bracket: `)` is missing"]);
    }

    #[test]
    fn a_bracket_that_closes_nothing_is_reported_itself() {
        assert_eq!(errors(&GOOD.replacen("1}),", "1})),", 1)), ["3:36 `)` closes no bracket"]);
        assert_eq!(errors(&format!("{GOOD})")), ["10:1 `)` closes no bracket"]);
    }

    #[test]
    fn a_comment_in_another_notation_hides_no_bracket() {
        let text = GOOD.replace("a: [", "a: [ # odd").replace("{\"c\": 1}", "{\"c\": 1");
        let wanted =
            ["2:10 `#` starts no comment here", "3:27 unclosed bracket: `}` is missing before the `)` of line 3"];
        assert_eq!(errors(&text), wanted);
    }

    #[test]
    fn mistakes_before_the_bracket_are_reported_too() {
        let text = GOOD.replacen("a: [", "a: [ 1x,", 1).replacen("d: 1,\n)\n", "d: 1,\n", 1);
        assert_eq!(errors(&text).len(), 1);
        let text = GOOD.replacen("a: [", "a: [ 1x,", 1).replacen("        ),\n    ],", "    ],", 1);
        assert_eq!(errors(&text).len(), 2, "{:?}", errors(&text));
    }
}
