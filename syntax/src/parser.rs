//! Parses tokens into a tree. The grammar is that of RON with two differences: `implicit_some` is always on, and a
//! struct may give its first fields by position and the others by name (`At("1m", Invariants, because: "...")`). After
//! a mistake the parser continues at the next comma or closing bracket, so that one load reports all mistakes.

use super::{
    brackets,
    diagnostic::{Report, Span},
    lexer::{Kind, Token, lex, unescape},
    tree::{Ident, Node, Shape, Struct, clip},
};
use std::collections::BTreeSet;

/// The deepest nesting of brackets.
const MAX_DEPTH: usize = 200;

/// Parses a whole file, which contains one value.
pub fn parse(text: &str, source: u32, report: &mut Report) -> Option<Node> {
    let (mut tokens, errors) = lex(text);
    let clean = errors.iter().all(|error| error.harmless);
    let mut noisy = BTreeSet::new();
    for error in errors {
        if !error.harmless {
            noisy.insert(line_of(text, error.range.start));
        }
        report.error(Span::new(source, error.range), error.title, error.label);
    }
    tokens.retain(|t| !matches!(t.kind, Kind::LineComment | Kind::BlockComment | Kind::Extension));
    // Where text is not even a token, brackets may be missing from the tokens.
    let unbalanced = if clean { brackets::report(text, source, &tokens, report) } else { None };
    let first = report.len();
    let node = parse_tokens(
        Parser { text, source, tokens, at: 0, depth: 0, noisy, unbalanced: unbalanced.is_some(), report },
        clean,
    );
    if let Some(place) = unbalanced {
        report.broken = true;
        report.drop_behind(first, place);
    }
    node
}

fn parse_tokens(mut parser: Parser<'_, '_>, clean: bool) -> Option<Node> {
    if parser.tokens.is_empty() {
        if clean {
            parser.report.error(parser.end_span(), "the file is empty", "expected a value");
        }
        return None;
    }
    let node = parser.value()?;
    if let Some(token) = parser.peek().cloned() {
        let span = parser.span(&token);
        let found = parser.describe(&token);
        parser.report.error(span, format!("unexpected {found} after the end of the value"), "a file holds one value");
    }
    Some(node)
}

struct Parser<'a, 'r> {
    text: &'a str,
    source: u32,
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
    /// The starts of lines with a mistake that is likely to cause further ones.
    noisy: BTreeSet<usize>,
    /// Whether a bracket without a partner was reported, so that no other one is reported.
    unbalanced: bool,
    report: &'r mut Report,
}

/// The start of the line that contains an offset.
fn line_of(text: &str, offset: usize) -> usize {
    text.as_bytes().get(..offset).and_then(|before| before.iter().rposition(|b| *b == b'\n')).map_or(0, |i| i + 1)
}

impl Parser<'_, '_> {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn next_kind(&self, ahead: usize) -> Option<Kind> {
        self.tokens.get(self.at + ahead).map(|t| t.kind)
    }

    fn span(&self, token: &Token) -> Span {
        Span::new(self.source, token.range.clone())
    }

    fn slice(&self, token: &Token) -> &str {
        self.text.get(token.range.clone()).unwrap_or_default()
    }

    /// The end of the text read so far, where something is missing.
    fn end_span(&self) -> Span {
        let end = self.at.checked_sub(1).and_then(|i| self.tokens.get(i)).map_or(0, |t| t.range.end);
        Span::new(self.source, end..end)
    }

    fn describe(&self, token: &Token) -> String {
        match token.kind {
            Kind::Punct(c) => format!("`{}`", char::from(c)),
            Kind::String | Kind::RawString => "string".to_owned(),
            Kind::Number => format!("number `{}`", clip(self.slice(token))),
            _ => format!("`{}`", clip(self.slice(token))),
        }
    }

    /// Reports a mistake that is often the consequence of another one, at most once per line.
    fn report_once(&mut self, span: Span, title: String, label: &str, help: &str) {
        if self.noisy.insert(line_of(self.text, span.start as usize)) {
            let error = self.report.error(span, title, label);
            if !help.is_empty() {
                error.help(help);
            }
        }
    }

    fn value(&mut self) -> Option<Node> {
        let Some(token) = self.peek().cloned() else {
            let span = self.end_span();
            self.report.error(span, "the file ends where a value was expected", "ends here");
            return None;
        };
        let span = self.span(&token);
        let shape = match token.kind {
            Kind::String | Kind::RawString => {
                self.at += 1;
                match unescape(self.text, &token) {
                    Ok(text) => Shape::String(text),
                    Err(error) => {
                        let at = Span::new(self.source, error.range);
                        self.report.error(at, error.title, error.label);
                        Shape::Bad
                    }
                }
            }
            Kind::Number => {
                self.at += 1;
                self.number(&token)
            }
            Kind::Ident => return Some(self.word(&token)),
            Kind::Punct(b'(') => return Some(self.structure(None, span)),
            Kind::Punct(b'[') => return Some(self.items(span, b']', Self::value, Shape::List)),
            Kind::Punct(b'{') => return Some(self.items(span, b'}', Self::entry, Shape::Map)),
            Kind::Bad => {
                self.at += 1;
                Shape::Bad
            }
            _ => {
                let found = self.describe(&token);
                self.report.error(span, format!("expected a value, found {found}"), "a value was expected here");
                return None;
            }
        };
        Some(Node { span, shape })
    }

    fn number(&mut self, token: &Token) -> Shape {
        let text = self.slice(token);
        let digits = text.trim_start_matches(['+', '-']);
        let plain = digits.bytes().all(|b| b.is_ascii_digit() || b == b'.' || b == b'_');
        let good = plain && digits.bytes().filter(|b| *b == b'.').count() <= 1;
        let good = good && digits.bytes().any(|b| b.is_ascii_digit()) && !digits.starts_with('_');
        if good && text.len() - digits.len() <= 1 {
            return Shape::Number(text.replace('_', ""));
        }
        let title = format!("`{}` is not a plain decimal number", clip(text));
        let span = self.span(token);
        let help = "quantities and durations are strings: \"500m\", \"90s\"";
        self.report_once(span, title, "write plain decimal digits", help);
        Shape::Bad
    }

    fn word(&mut self, token: &Token) -> Node {
        let span = self.span(token);
        let text = self.slice(token).to_owned();
        self.at += 1;
        if self.next_kind(0) == Some(Kind::Punct(b'(')) {
            return self.structure(Some(Ident { text, span }), span);
        }
        let shape = match text.as_str() {
            "true" => Shape::Bool(true),
            "false" => Shape::Bool(false),
            "None" => Shape::Absent,
            _ => Shape::Word(text),
        };
        Node { span, shape }
    }

    /// Enters a bracket. Nothing if the nesting is too deep; then the bracket is skipped.
    fn open(&mut self) -> Option<Span> {
        let token = self.peek().cloned()?;
        let span = self.span(&token);
        if self.depth >= MAX_DEPTH {
            let title = format!("nested deeper than {MAX_DEPTH} brackets");
            self.report.error(span, title, "one level too deep");
            self.skip_brackets();
            return None;
        }
        self.depth += 1;
        self.at += 1;
        Some(span)
    }

    /// Leaves a bracket opened at `open`, and returns the place of the token that closed it.
    fn close(&mut self, close: u8, open: Span) -> Span {
        self.depth -= 1;
        match self.peek().cloned() {
            Some(token) if token.kind == Kind::Punct(close) => {
                self.at += 1;
                self.span(&token)
            }
            Some(token) => {
                let span = self.span(&token);
                let found = self.describe(&token);
                let title = format!("expected `{}`, found {found}", char::from(close));
                let before = self.text.as_bytes().get(..open.start as usize).unwrap_or_default();
                let opened = before.iter().filter(|byte| **byte == b'\n').count() + 1;
                let bracket = self.text.get(open.start as usize..open.end as usize).unwrap_or_default();
                self.report.broken = true;
                if !self.unbalanced {
                    self.report
                        .error(span, title, "unbalanced bracket")
                        .help(format!("the `{bracket}` of line {opened} is still open here"));
                }
                // An outer bracket may be meant; when there is none the token is of no use to anybody.
                if self.depth == 0 {
                    self.at += 1;
                }
                span
            }
            None => {
                let title = format!("unclosed bracket: `{}` is missing", char::from(close));
                self.report.broken = true;
                if !self.unbalanced {
                    self.report.error(open, title, "opened here");
                }
                self.end_span()
            }
        }
    }

    fn skip_brackets(&mut self) {
        let mut depth = 0_usize;
        while let Some(kind) = self.next_kind(0) {
            match kind {
                Kind::Punct(b'(' | b'[' | b'{') => depth += 1,
                Kind::Punct(b')' | b']' | b'}') if depth == 0 => return,
                Kind::Punct(b')' | b']' | b'}') => depth -= 1,
                _ => {}
            }
            self.at += 1;
            if depth == 0 {
                return;
            }
        }
    }

    /// Continues after a mistake: skips to the comma or closing bracket of this level.
    fn recover(&mut self) {
        while let Some(kind) = self.next_kind(0) {
            match kind {
                Kind::Punct(b',' | b')' | b']' | b'}') => return,
                Kind::Punct(b'(' | b'[' | b'{') => self.skip_brackets(),
                _ => self.at += 1,
            }
        }
    }

    /// Reads what follows an entry: a comma, or the end of the bracket. Returns false at the end of the bracket.
    fn comma(&mut self, close: u8) -> bool {
        match self.peek().cloned() {
            None => false,
            Some(token) => match token.kind {
                Kind::Punct(b',') => {
                    self.at += 1;
                    true
                }
                Kind::Punct(c) if c == close => false,
                Kind::Punct(b')' | b']' | b'}') => false,
                _ => {
                    let span = self.span(&token);
                    let found = self.describe(&token);
                    let title = format!("expected `,` or `{}`, found {found}", char::from(close));
                    self.report_once(span, title, "a comma is missing before this", "");
                    // A new entry most likely: go on with it, unless it cannot start one.
                    if !matches!(
                        token.kind,
                        Kind::Ident | Kind::String | Kind::Number | Kind::Punct(b'(' | b'[' | b'{')
                    ) {
                        self.recover();
                        if self.next_kind(0) == Some(Kind::Punct(b',')) {
                            self.at += 1;
                        }
                    }
                    true
                }
            },
        }
    }

    fn at_end(&self) -> bool {
        matches!(self.next_kind(0), None | Some(Kind::Punct(b')' | b']' | b'}')))
    }

    fn structure(&mut self, name: Option<Ident>, start: Span) -> Node {
        let Some(open) = self.open() else { return Node { span: start, shape: Shape::Bad } };
        let mut body = Struct { name, args: Vec::new(), fields: Vec::new() };
        while !self.at_end() {
            let named = self.next_kind(0) == Some(Kind::Ident) && self.next_kind(1) == Some(Kind::Punct(b':'));
            if named {
                self.field(&mut body);
            } else {
                match self.value() {
                    Some(node) => {
                        if !body.fields.is_empty() && !matches!(node.shape, Shape::Bad) {
                            let title = "an unnamed value after named fields".to_owned();
                            self.report_once(node.span, title, "which field is this?", "write `field: value`");
                        } else {
                            body.args.push(node);
                        }
                    }
                    None => self.recover(),
                }
            }
            if !self.comma(b')') {
                break;
            }
        }
        let end = self.close(b')', open);
        let span = start.to(end);
        // `Some(x)` is `x`.
        let some = body.name.as_ref().is_some_and(|n| n.text == "Some") && body.fields.is_empty();
        if some
            && body.args.len() == 1
            && let Some(inner) = body.args.pop()
        {
            return inner;
        }
        Node { span, shape: Shape::Struct(body) }
    }

    fn field(&mut self, body: &mut Struct) {
        let Some(token) = self.peek().cloned() else { return };
        let ident = Ident { text: self.slice(&token).to_owned(), span: self.span(&token) };
        self.at += 2;
        let value = match self.value() {
            Some(node) => node,
            None => {
                self.recover();
                Node { span: ident.span, shape: Shape::Bad }
            }
        };
        body.fields.push((ident, value));
    }

    /// The items of a bracket that ends with `close`, as the value that they form.
    fn items<T>(
        &mut self,
        start: Span,
        close: u8,
        item: fn(&mut Self) -> Option<T>,
        shape: fn(Vec<T>) -> Shape,
    ) -> Node {
        let Some(open) = self.open() else { return Node { span: start, shape: Shape::Bad } };
        let mut items = Vec::new();
        while !self.at_end() {
            match item(self) {
                Some(item) => items.push(item),
                None => self.recover(),
            }
            if !self.comma(close) {
                break;
            }
        }
        let end = self.close(close, open);
        Node { span: start.to(end), shape: shape(items) }
    }

    fn entry(&mut self) -> Option<(Node, Node)> {
        let key = self.value()?;
        if self.next_kind(0) != Some(Kind::Punct(b':')) {
            let found = self.peek().cloned().map_or_else(|| "the end".to_owned(), |t| self.describe(&t));
            let span = self.peek().cloned().map_or_else(|| self.end_span(), |t| self.span(&t));
            self.report.error(span, format!("expected `:`, found {found}"), "a map holds `key: value`");
            self.recover();
            let span = key.span;
            return Some((key, Node { span, shape: Shape::Bad }));
        }
        self.at += 1;
        let value = match self.value() {
            Some(value) => value,
            None => {
                self.recover();
                Node { span: key.span, shape: Shape::Bad }
            }
        };
        Some((key, value))
    }
}
