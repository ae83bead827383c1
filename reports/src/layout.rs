//! Lays out lines for a terminal: display width, wrapping, shortening. Names come from users, so characters that could
//! break a line or move the cursor are shown by their codes.

use crate::style::{CODES, Style};
use unicode_width::UnicodeWidthChar;

/// The least width for which text is laid out; a narrower terminal wraps lines itself.
const NARROWEST: usize = 40;

/// The length in bytes of the colour code of [`Style`] at the start of a text, if there is one. It takes no columns.
fn colour_code(text: &str) -> Option<usize> {
    let rest = text.strip_prefix("\x1b[")?;
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let (code, end) = rest.split_at_checked(digits)?;
    (CODES.contains(&code) && end.starts_with('m')).then_some(digits + 3)
}

/// The indivisible parts of a text: a colour code, or a character with its width.
fn parts(text: &str) -> impl Iterator<Item = (&str, usize)> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let first = rest.chars().next()?;
        let (length, width) = match colour_code(rest) {
            Some(length) => (length, 0),
            None => (first.len_utf8(), first.width().unwrap_or(0)),
        };
        let (part, after) = rest.split_at_checked(length)?;
        rest = after;
        Some((part, width))
    })
}

/// How many columns of a terminal a text takes; colours take none.
pub(crate) fn width(text: &str) -> usize {
    parts(text).map(|(_, width)| width).sum()
}

/// The text with every character that is invisible, ends a line or changes the direction of text shown by its code. The
/// colours of [`Style`] stay.
pub(crate) fn visible(text: &str) -> String {
    let shown = |(part, _): (&str, usize)| match colour_code(part) {
        Some(_) => part.to_owned(),
        None => quotree_page::visible(part),
    };
    parts(text).map(shown).collect()
}

/// A text in at most this many columns: its middle becomes `…`.
pub(crate) fn shorten(text: &str, most: usize) -> String {
    if width(text) <= most {
        return text.to_owned();
    }
    let room = most.saturating_sub(1);
    let mut kept = String::new();
    let mut left = room.div_ceil(2);
    for (part, width) in parts(text) {
        if width > left {
            break;
        }
        left -= width;
        kept.push_str(part);
    }
    let mut tail = Vec::new();
    let mut left = room / 2;
    let all: Vec<(&str, usize)> = parts(text).collect();
    for (part, width) in all.into_iter().rev() {
        if width > left {
            break;
        }
        left -= width;
        tail.push(part);
    }
    kept.push('…');
    kept.extend(tail.into_iter().rev());
    kept
}

/// A space at which [`wrap`] does not break a line. It is printed as an ordinary space.
pub(crate) const NO_BREAK: &str = "\u{a0}";

/// Wraps a text to the width of the terminal, and ends each line with a newline. Lines after the first are indented by
/// `hang` spaces. The text is broken at spaces; a word that is wider than a line is broken, too.
#[must_use]
pub fn wrap(style: Style, line: &str, hang: usize) -> String {
    let most = style.width.max(NARROWEST);
    let hang = hang.min(most / 2);
    let line = visible(line);
    let (mut text, mut used) = (String::new(), 0);
    // Whether a word is on the present line.
    let mut begun = false;
    let mut rest = line.as_str();
    while !rest.is_empty() {
        let word_at = rest.find(|c| c != ' ').unwrap_or(rest.len());
        let (gap, after) = rest.split_at_checked(word_at).unwrap_or((rest, ""));
        let end = after.find(' ').unwrap_or(after.len());
        let (word, after) = after.split_at_checked(end).unwrap_or((after, ""));
        rest = after;
        let wide = width(word);
        // A word that fits no line begins on this one.
        if begun && used + gap.len() + wide > most && wide <= most - hang {
            next_line(&mut text, &mut used, hang);
        } else {
            text.push_str(gap);
            used += gap.len();
        }
        begun = true;
        for (part, wide) in parts(word) {
            if used + wide > most {
                next_line(&mut text, &mut used, hang);
            }
            text.push_str(part);
            used += wide;
        }
    }
    text.truncate(text.trim_end_matches(' ').len());
    text.push('\n');
    text.replace(NO_BREAK, " ")
}

fn next_line(text: &mut String, used: &mut usize, hang: usize) {
    text.push('\n');
    text.push_str(&" ".repeat(hang));
    *used = hang;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn narrow(line: &str, hang: usize) -> String {
        wrap(Style { width: 40, ..Style::default() }, line, hang)
    }

    #[test]
    fn lines_break_at_spaces_and_keep_their_beginning() {
        let text = narrow("  at 2m  one-1 (team)  R2: another reclaims its guarantee; so much more", 6);
        assert_eq!(text, "  at 2m  one-1 (team)  R2: another\n      reclaims its guarantee; so much\n      more\n");
        assert_eq!(narrow("short", 4), "short\n");
        assert_eq!(narrow("", 4), "\n");
    }

    #[test]
    fn words_that_are_too_long_break_anywhere() {
        let text = narrow(&format!("- {}", "x".repeat(90)), 2);
        assert!(text.lines().all(|line| width(line) <= 40), "{text}");
        assert_eq!(text.lines().map(|line| line.matches('x').count()).sum::<usize>(), 90);
    }

    #[test]
    fn wide_characters_and_colours_are_measured() {
        assert_eq!(width("数据 ab"), 7);
        assert_eq!(width("\x1b[31mred\x1b[0m"), 3);
        let text = narrow(&format!("\x1b[31m{}\x1b[0m", "数据 ".repeat(12)), 0);
        assert!(text.lines().all(|line| width(line) <= 40), "{text}");
    }

    #[test]
    fn names_cannot_end_a_line_or_move_the_cursor() {
        assert_eq!(narrow("a\nb \x1b[2J c\u{202e}d", 0), "a⟨U+000A⟩b ⟨U+001B⟩[2J c⟨U+202E⟩d\n");
    }

    #[test]
    fn the_middle_of_a_long_name_is_left_out() {
        assert_eq!(shorten("research.vision.training", 13), "resear…aining");
        assert_eq!(shorten("short", 13), "short");
        assert_eq!(shorten("数据数据数据", 6), "数…据");
        assert_eq!(shorten("abc", 1), "…");
    }
}
