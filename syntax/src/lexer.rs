//! Splits text into tokens, for the part of RON that scenario files use. Comments are tokens, too, for the formatter.
//! No mistake is fatal: text that is not a token is reported, and the lexer continues after it.

use std::ops::Range;

/// The kind of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// One of `( ) [ ] { } : ,`.
    Punct(u8),
    Ident,
    Number,
    String,
    RawString,
    LineComment,
    BlockComment,
    /// `#![...]` as a whole.
    Extension,
    /// Text with a mistake that was already reported.
    Bad,
}

/// A token and its place, in bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    pub(crate) range: Range<usize>,
}

/// Text that is not a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LexError {
    pub(crate) range: Range<usize>,
    pub(crate) title: String,
    pub(crate) label: String,
    /// Whether the tokens around it are read as if it were not there.
    pub(crate) harmless: bool,
}

/// Splits a text into tokens.
pub(crate) fn lex(text: &str) -> (Vec<Token>, Vec<LexError>) {
    let mut lexer = Lexer { text, at: 0, tokens: Vec::new(), errors: Vec::new() };
    if text.starts_with('\u{feff}') {
        lexer.at = '\u{feff}'.len_utf8();
    }
    while let Some(c) = lexer.peek() {
        lexer.token(c);
    }
    (lexer.tokens, lexer.errors)
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
    tokens: Vec<Token>,
    errors: Vec<LexError>,
}

impl Lexer<'_> {
    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn push(&mut self, kind: Kind, len: usize) {
        let range = self.at..self.at + len;
        self.at = range.end;
        self.tokens.push(Token { kind, range });
    }

    fn fail(&mut self, range: Range<usize>, title: impl Into<String>, label: impl Into<String>) {
        self.errors.push(LexError { range, title: title.into(), label: label.into(), harmless: false });
    }

    fn while_len(&self, accept: impl Fn(char) -> bool) -> usize {
        let rest = self.rest();
        rest.find(|c| !accept(c)).unwrap_or(rest.len())
    }

    fn token(&mut self, c: char) {
        let rest = self.rest();
        match c {
            '\n' | '\t' | '\r' | ' ' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{200e}' | '\u{200f}' | '\u{2028}'
            | '\u{2029}' => {
                self.at += c.len_utf8();
            }
            '(' | ')' | '[' | ']' | '{' | '}' | ':' | ',' => {
                let byte = self.text.as_bytes().get(self.at).copied().unwrap_or_default();
                self.push(Kind::Punct(byte), 1);
            }
            '/' if rest.starts_with("//") => {
                let len = self.while_len(|c| c != '\n');
                self.push(Kind::LineComment, len);
            }
            '/' if rest.starts_with("/*") => self.block_comment(),
            '"' => self.string(),
            'r' if rest.starts_with("r\"") || rest.starts_with("r#") => self.raw_string(),
            '#' => self.extension(),
            '0'..='9' | '+' | '-' | '.' => {
                let len = 1 + rest.get(1..).map_or(0, number_tail);
                self.push(Kind::Number, len);
            }
            c if c.is_alphabetic() || c == '_' => {
                let len = self.while_len(|c| c.is_alphanumeric() || c == '_');
                self.push(Kind::Ident, len);
            }
            _ => {
                let start = self.at;
                self.at += c.len_utf8();
                let label = if c == '\'' { "strings are written in double quotes" } else { "not expected here" };
                self.fail(start..self.at, format!("unexpected character `{}`", c.escape_debug()), label);
            }
        }
    }

    fn block_comment(&mut self) {
        let mut depth = 0_u32;
        let mut end = None;
        let bytes = self.rest().as_bytes();
        let mut i = 0;
        while let Some(pair) = bytes.get(i..i + 2) {
            match pair {
                b"/*" => {
                    depth += 1;
                    i += 2;
                }
                b"*/" => {
                    depth -= 1;
                    i += 2;
                    if depth == 0 {
                        end = Some(i);
                        break;
                    }
                }
                _ => i += 1,
            }
        }
        if end.is_none() {
            self.fail(self.at..self.at + 2, "unclosed comment", "opened here");
        }
        let len = end.unwrap_or_else(|| self.rest().len());
        self.push(Kind::BlockComment, len);
    }

    fn string(&mut self) {
        let bytes = self.rest().as_bytes();
        let mut i = 1;
        loop {
            match bytes.get(i) {
                // No escape goes over the end of a line, so neither does a string: a forgotten quote costs one line.
                Some(b'\n') | None => break,
                Some(b'\\') if bytes.get(i + 1) != Some(&b'\n') => i += 2,
                Some(b'"') => return self.push(Kind::String, i + 1),
                Some(_) => i += 1,
            }
        }
        // How far the string was meant to go is unknown; the next bracket or comma is the best guess.
        let len = 1 + self.rest().get(1..).map_or(0, |r| r.find(['\n', ',', ')', ']', '}']).unwrap_or(r.len()));
        self.fail(self.at..self.at + 1, "unclosed string: it must end on its line", "opened here");
        self.push(Kind::Bad, len);
    }

    fn raw_string(&mut self) {
        let rest = self.rest();
        let hashes = rest.get(1..).map_or(0, |r| r.bytes().take_while(|b| *b == b'#').count());
        let body = rest.get(1 + hashes..).unwrap_or_default();
        if !body.starts_with('"') {
            return self.push(Kind::Ident, 1);
        }
        let close = format!("\"{}", "#".repeat(hashes));
        match body.get(1..).and_then(|inside| inside.find(&close)) {
            Some(inside) => self.push(Kind::RawString, 1 + hashes + 1 + inside + close.len()),
            None => {
                self.fail(self.at..self.at + 1 + hashes + 1, "unclosed string", "opened here");
                let len = self.while_len(|c| c != '\n');
                self.push(Kind::Bad, len);
            }
        }
    }

    /// `#![enable(implicit_some)]`: the only text that may start with `#`.
    fn extension(&mut self) {
        if !self.rest().starts_with("#!") {
            let len = self.while_len(|c| c != '\n');
            let (title, label) = ("`#` starts no comment here".to_owned(), "write `//` before a comment".to_owned());
            self.errors.push(LexError { range: self.at..self.at + len, title, label, harmless: true });
            return self.push(Kind::LineComment, len);
        }
        let line = self.while_len(|c| c != '\n' && c != ']');
        let rest = self.rest();
        let len = if rest.get(line..).is_some_and(|r| r.starts_with(']')) { line + 1 } else { line };
        let words: String = rest.get(..len).unwrap_or_default().chars().filter(|c| !c.is_whitespace()).collect();
        let inside = words.strip_prefix("#![enable(").and_then(|w| w.strip_suffix(")]"));
        let known = inside.is_some_and(|names| names.split(',').all(|n| n.is_empty() || n == "implicit_some"));
        if !known {
            let range = self.at..self.at + len;
            self.fail(range, "unknown file header", "the only header is `#![enable(implicit_some)]`");
        } else if !self
            .tokens
            .iter()
            .all(|t| matches!(t.kind, Kind::LineComment | Kind::BlockComment | Kind::Extension))
        {
            self.fail(self.at..self.at + len, "a file header must come first", "move it to the top");
        }
        self.push(Kind::Extension, len.max(1));
    }
}

/// The length of a number after its first character: digits, letters of a suffix or exponent, a sign after `e`.
fn number_tail(text: &str) -> usize {
    let mut exponent = false;
    for (i, c) in text.char_indices() {
        let goes_on = c.is_ascii_alphanumeric() || c == '.' || c == '_' || (exponent && matches!(c, '+' | '-'));
        if !goes_on {
            return i;
        }
        exponent = matches!(c, 'e' | 'E');
    }
    text.len()
}

/// The content of a string token; an error has the range within the text.
pub(crate) fn unescape(text: &str, token: &Token) -> Result<String, Box<LexError>> {
    let raw = text.get(token.range.clone()).unwrap_or_default();
    if token.kind == Kind::RawString {
        let body = raw.trim_start_matches('r').trim_matches('#');
        return Ok(body.get(1..body.len().saturating_sub(1)).unwrap_or_default().to_owned());
    }
    let inside = raw.get(1..raw.len().saturating_sub(1)).unwrap_or_default();
    if !inside.contains('\\') {
        return Ok(inside.to_owned());
    }
    let mut out = String::with_capacity(inside.len());
    let mut chars = inside.char_indices().peekable();
    while let Some((start, c)) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        let mut end = inside.len();
        let escaped = match chars.next().map(|(_, c)| c) {
            Some('n') => Some('\n'),
            Some('r') => Some('\r'),
            Some('t') => Some('\t'),
            Some('0') => Some('\0'),
            Some(c @ ('\\' | '"' | '\'')) => Some(c),
            Some('x') => {
                let hex: String = chars.by_ref().take(2).map(|(_, c)| c).collect();
                u8::from_str_radix(&hex, 16).ok().filter(|_| hex.len() == 2).filter(u8::is_ascii).map(char::from)
            }
            Some('u') => {
                let hex: String = chars.by_ref().map(|(_, c)| c).take_while(|c| *c != '}').collect();
                let digits = hex.strip_prefix('{').filter(|h| (1..=6).contains(&h.len()));
                digits.and_then(|h| u32::from_str_radix(h, 16).ok()).and_then(char::from_u32)
            }
            _ => None,
        };
        if let Some((next, _)) = chars.peek() {
            end = *next;
        }
        match escaped {
            Some(c) => out.push(c),
            None => {
                let range = token.range.start + 1 + start..token.range.start + 1 + end;
                let title = "unknown escape in a string".to_owned();
                let label = "known are \\n \\r \\t \\0 \\\\ \\\" \\' \\x7f \\u{1f600}".to_owned();
                return Err(Box::new(LexError { range, title, label, harmless: false }));
            }
        }
    }
    Ok(out)
}
