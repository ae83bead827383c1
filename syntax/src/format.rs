//! `quotree fmt`: writes the same tokens in a uniform layout. Line breaks of the author are kept; indentation, spaces,
//! blank lines and trailing commas are normalised. Comments and strings do not change. Formatting a second time changes
//! nothing.

use super::{
    diagnostic::{Diagnostic, Report, Source},
    lexer::{Kind, Token, lex},
    parser::parse,
};

/// One step of indentation.
const STEP: usize = 4;

/// Formats a scenario file.
///
/// # Errors
/// The mistakes in its syntax; a file with mistakes is not formatted.
///
/// ```
/// use quotree_syntax::format;
/// let even = format("Quota( name:\"a\",\n  min : {\"cpu\":\"5\"} // small\n)").unwrap();
/// assert_eq!(even, "Quota(name: \"a\",\n    min: { \"cpu\": \"5\" }, // small\n)\n");
/// assert_eq!(format(&even).unwrap(), even);
/// ```
pub fn format(text: &str) -> Result<String, Vec<Diagnostic>> {
    let mut report = Report::default();
    parse(text, 0, &mut report);
    if report.errors() > 0 {
        return Err(report.finish(&[Source { path: "input".to_owned(), text: text.to_owned() }]));
    }
    let (tokens, _) = lex(text);
    let mut printer = Printer { text, out: String::with_capacity(text.len()), open: Vec::new(), indent: 0 };
    let pieces = even_commas(pieces(text, &tokens));
    let mut previous: Option<&Piece> = None;
    for (i, piece) in pieces.iter().enumerate() {
        printer.piece(previous, piece, pieces.get(i + 1..).unwrap_or_default());
        previous = Some(piece);
    }
    printer.out.push('\n');
    Ok(printer.out)
}

/// A token with the line breaks before it; a comma that the formatter adds has no token.
#[derive(Debug, Clone)]
struct Piece {
    kind: Kind,
    token: Option<Token>,
    breaks: usize,
}

impl Piece {
    const fn is(&self, c: u8) -> bool {
        matches!(self.kind, Kind::Punct(p) if p == c)
    }

    const fn opens(&self) -> bool {
        matches!(self.kind, Kind::Punct(b'(' | b'[' | b'{'))
    }

    const fn closes(&self) -> bool {
        matches!(self.kind, Kind::Punct(b')' | b']' | b'}'))
    }

    const fn is_comment(&self) -> bool {
        matches!(self.kind, Kind::LineComment | Kind::BlockComment)
    }
}

fn pieces(text: &str, tokens: &[Token]) -> Vec<Piece> {
    let mut end = 0;
    let mut pieces = Vec::with_capacity(tokens.len());
    for token in tokens {
        let gap = text.get(end..token.range.start).unwrap_or_default();
        let breaks = gap.bytes().filter(|b| *b == b'\n').count();
        end = token.range.end;
        pieces.push(Piece { kind: token.kind, token: Some(token.clone()), breaks });
    }
    pieces
}

/// Adds a comma before a bracket that closes on its own line, and removes one before a bracket on the same line.
fn even_commas(pieces: Vec<Piece>) -> Vec<Piece> {
    let mut out: Vec<Piece> = Vec::with_capacity(pieces.len());
    for piece in pieces {
        if piece.closes() {
            let last = out.iter().rposition(|p| !p.is_comment());
            let own_line = piece.breaks > 0;
            match last.and_then(|i| out.get(i).map(|p| (i, p.clone()))) {
                Some((i, last)) if last.is(b',') && !own_line && i + 1 == out.len() => {
                    out.pop();
                }
                Some((i, last)) if own_line && !last.is(b',') && !last.opens() => {
                    out.insert(i + 1, Piece { kind: Kind::Punct(b','), token: None, breaks: 0 });
                }
                _ => {}
            }
        }
        // A comma directly follows what it ends, not a comment about it or a line break.
        if piece.is(b',') {
            let at = out.iter().rposition(|p| !p.is_comment()).map_or(0, |i| i + 1);
            let moved = at < out.len();
            out.insert(at, Piece { breaks: 0, ..piece });
            if moved {
                continue;
            }
        } else {
            out.push(piece);
        }
    }
    out
}

struct Printer<'a> {
    text: &'a str,
    out: String,
    /// For each open bracket: the indentation of its line.
    open: Vec<usize>,
    indent: usize,
}

impl Printer<'_> {
    fn piece(&mut self, previous: Option<&Piece>, piece: &Piece, rest: &[Piece]) {
        let breaks = previous.map_or(0, |previous| {
            let hugs = previous.opens() || piece.closes();
            let forced = usize::from(previous.kind == Kind::LineComment || previous.kind == Kind::Extension);
            piece.breaks.max(forced).min(if hugs { 1 } else { 2 })
        });
        if breaks > 0 {
            self.out.extend(std::iter::repeat_n('\n', breaks));
            self.indent = self.indent_of(piece, rest);
            self.out.extend(std::iter::repeat_n(' ', self.indent));
        } else if previous.is_some_and(|previous| spaced(previous, piece)) {
            self.out.push(' ');
        }
        let text = piece.token.as_ref().and_then(|t| self.text.get(t.range.clone())).unwrap_or(",");
        self.out.push_str(if piece.kind == Kind::LineComment { text.trim_end() } else { text });
        if piece.opens() {
            self.open.push(self.indent);
        } else if piece.closes() {
            self.open.pop();
        }
    }

    /// The indentation of a line: one step more than that of the line with the innermost open bracket. A line that
    /// starts with closing brackets has the indentation of the line where the last of them was opened.
    fn indent_of(&self, piece: &Piece, rest: &[Piece]) -> usize {
        if !piece.closes() {
            return self.open.last().map_or(0, |indent| indent + STEP);
        }
        let more = rest.iter().take_while(|p| p.closes() && p.breaks == 0).count();
        let at = self.open.len().saturating_sub(1 + more);
        self.open.get(at).copied().unwrap_or(0)
    }
}

/// Whether there is a space between two tokens of one line.
fn spaced(left: &Piece, right: &Piece) -> bool {
    if right.is_comment() || left.is_comment() {
        return !(left.opens() && right.kind == Kind::BlockComment && !left.is(b'{'));
    }
    if right.is(b',') || right.is(b':') || (left.is(b'{') && right.is(b'}')) {
        return false;
    }
    if left.is(b'{') || right.is(b'}') || left.is(b',') || left.is(b':') {
        return true;
    }
    !(left.opens() || right.opens() || right.closes())
}

#[cfg(test)]
mod tests {
    use super::format;

    #[test]
    fn layout_is_made_even_and_comments_stay() {
        let rows = [
            ("A(a:1,b:[ 1,2, ],c:{})", "A(a: 1, b: [1, 2], c: {})\n"),
            ("A(\n\n\na: 1\n\n\n\nb: 2)", ""),
            ("A(\n\n\na: 1,\n\n\n\nb: 2\n\n)", "A(\n    a: 1,\n\n    b: 2,\n)\n"),
            (
                "// top\r\nA( // one\r\n// two\r\na:1 // three\r\n// four\r\n)",
                "// top\nA( // one\n    // two\n    a: 1, // three\n    // four\n)\n",
            ),
            ("A(a: 1 /* x */ , b: 2)", "A(a: 1, /* x */ b: 2)\n"),
            ("A(b(c: [\n1\n]))", "A(b(c: [\n    1,\n]))\n"),
            ("#![enable(implicit_some)] A()", "#![enable(implicit_some)]\nA()\n"),
            ("A(a: 1\n, b: 2)", "A(a: 1, b: 2)\n"),
            ("[\"a  b\\\"\", r#\"x\"y\"#]", "[\"a  b\\\"\", r#\"x\"y\"#]\n"),
            ("A(\n)", "A(\n)\n"),
        ];
        for (text, wanted) in rows {
            match format(text) {
                Ok(even) => {
                    assert_eq!(even, wanted, "{text:?}");
                    assert_eq!(format(&even).unwrap(), even, "twice: {text:?}");
                }
                Err(errors) => assert_eq!(wanted, "", "{text:?}: {errors:?}"),
            }
        }
    }
}
