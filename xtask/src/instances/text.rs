//! Texts of a format or a pattern.

use anyhow::{Context, Result, bail};
use fastrand::Rng;

/// How often a pattern is tried: what a lookahead asks for is found by trying.
const TRIES: usize = 5_000;

/// Words of several alphabets and lengths, with what JSON has to escape.
const WORDS: [&str; 12] =
    ["", "a", "Stol", "Blåbærsyltetøy", "øre", "line\nbreak", "\"quoted\"", "tab\t", "null", "0", "日本", "🪑 chair"];

/// A text for a place without pattern or known format.
pub(super) fn plain(rng: &mut Rng) -> String {
    let word = WORDS[rng.usize(..WORDS.len())].to_owned();
    if rng.bool() { word } else { format!("{word}{}", rng.u32(..)) }
}

/// A text of a format of OpenAPI, or of one of those that the service uses; none for formats that ask for nothing.
pub(super) fn of_format(format: &str, rng: &mut Rng) -> Option<Result<String>> {
    let (year, month, day) = (rng.u32(2000..2040), rng.u32(1..=12), rng.u32(1..=28));
    let (hour, minute, second) = (rng.u32(..24), rng.u32(..60), rng.u32(..60));
    Some(Ok(match format {
        "date-time" => {
            let fraction = [String::new(), format!(".{:03}", rng.u32(..1000)), format!(".{:06}", rng.u32(..1_000_000))];
            let zone = ["Z", "+01:00", "-05:30"][rng.usize(..3)];
            let fraction = &fraction[rng.usize(..3)];
            format!("{year}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{fraction}{zone}")
        }
        "date" => format!("{year}-{month:02}-{day:02}"),
        "time" => format!("{hour:02}:{minute:02}"),
        "uuid" => {
            let (a, b, c) = (rng.u32(..), rng.u16(..), rng.u64(..1 << 48));
            format!("{a:08x}-{b:04x}-4{:03x}-8{:03x}-{c:012x}", rng.u16(..4096), rng.u16(..4096))
        }
        "uri" | "url" => format!("https://example.com/{}?a={}", rng.u16(..), rng.u8(..)),
        "email" => format!("someone{}@example.com", rng.u16(..)),
        "iso4217-code" => ["NOK", "SEK", "DKK", "EUR", "JPY", "XAF"][rng.usize(..6)].to_owned(),
        "iso3166-alpha2" | "iso-3166-1" => ["NO", "SE", "DK", "FI", "DE"][rng.usize(..5)].to_owned(),
        "iso-18245" => format!("{:04}", rng.u32(..10_000)),
        // Where upstream writes a pattern for a format it means one.
        format if format.contains(['^', '\\', '[', '*']) => return Some(of_patterns(&[format], 0, None, rng)),
        _ => return None,
    }))
}

/// A text that all of `patterns` match.
///
/// # Errors
/// When a pattern has a form that is not known here, or nothing was found that matches.
pub(super) fn of_patterns(patterns: &[&str], shortest: usize, longest: Option<usize>, rng: &mut Rng) -> Result<String> {
    let checks: Vec<regress::Regex> = patterns
        .iter()
        .map(|pattern| regress::Regex::new(pattern).with_context(|| format!("`{pattern}` is not a pattern")))
        .collect::<Result<_>>()?;
    let first = patterns.first().copied().unwrap_or_default();
    for _ in 0..TRIES {
        let text = Sampler { pattern: first.chars().collect(), at: 0, rng }.sample()?;
        let length = text.chars().count();
        if length >= shortest
            && longest.is_none_or(|longest| length <= longest)
            && checks.iter().all(|check| check.find(&text).is_some())
        {
            return Ok(text);
        }
    }
    bail!("found no text for the patterns {patterns:?}")
}

/// Makes a text by walking through a pattern. It passes over lookaheads: whoever calls checks the result.
struct Sampler<'a> {
    pattern: Vec<char>,
    at: usize,
    rng: &'a mut Rng,
}

impl Sampler<'_> {
    fn sample(mut self) -> Result<String> {
        let text = self.choice()?;
        match self.peek() {
            None => Ok(text),
            Some(rest) => bail!("the pattern goes on with {rest:?} where it should end"),
        }
    }

    fn peek(&self) -> Option<char> {
        self.pattern.get(self.at).copied()
    }

    fn eat(&mut self, wanted: &str) -> bool {
        let found = self.pattern[self.at..].iter().copied().take(wanted.chars().count()).eq(wanted.chars());
        if found {
            self.at += wanted.chars().count();
        }
        found
    }

    /// `a|b|c`
    fn choice(&mut self) -> Result<String> {
        let mut ways = vec![self.sequence()?];
        while self.eat("|") {
            ways.push(self.sequence()?);
        }
        let index = self.rng.usize(..ways.len());
        Ok(ways.swap_remove(index))
    }

    fn sequence(&mut self) -> Result<String> {
        let mut out = String::new();
        while let Some(next) = self.peek() {
            if matches!(next, '|' | ')') {
                break;
            }
            if matches!(next, '^' | '$') {
                self.at += 1;
                continue;
            }
            let start = self.at;
            let once = self.atom()?;
            let end = self.at;
            let (least, most) = self.repeats()?;
            let after = self.at;
            let count = self.rng.usize(least..=most);
            if count > 0 {
                out.push_str(&once);
            }
            for _ in 1..count {
                self.at = start;
                out.push_str(&self.atom()?);
                debug_assert_eq!(self.at, end, "an atom ends where it ended before");
            }
            self.at = after;
        }
        Ok(out)
    }

    fn repeats(&mut self) -> Result<(usize, usize)> {
        const MORE: usize = 12;
        let bounds = match self.peek() {
            Some('*') => (0, MORE),
            Some('+') => (1, MORE),
            Some('?') => (0, 1),
            Some('{') => {
                let inner: String = self.pattern[self.at + 1..].iter().take_while(|letter| **letter != '}').collect();
                self.at += inner.chars().count() + 1;
                let (least, most) = inner.split_once(',').unwrap_or((&inner, &inner));
                let least: usize = least.trim().parse().with_context(|| format!("repeated {{{inner}}} times"))?;
                (least, if most.trim().is_empty() { least + MORE } else { most.trim().parse()? })
            }
            _ => return Ok((1, 1)),
        };
        self.at += 1;
        self.eat("?");
        Ok((bounds.0, bounds.1.max(bounds.0)))
    }

    fn atom(&mut self) -> Result<String> {
        let Some(next) = self.peek() else { return Ok(String::new()) };
        self.at += 1;
        match next {
            '(' => {
                let looks = ["?=", "?!", "?<=", "?<!"].iter().any(|mark| self.eat(mark));
                if !looks && !self.eat("?:") && self.eat("?<") {
                    while self.peek().is_some_and(|letter| letter != '>') {
                        self.at += 1;
                    }
                    self.at += 1;
                }
                let inner = self.choice()?;
                if !self.eat(")") {
                    bail!("a group of the pattern does not end");
                }
                Ok(if looks { String::new() } else { inner })
            }
            '[' => self.class(),
            '.' => Ok(self.rng.alphanumeric().to_string()),
            '\\' => {
                let letter = self.escaped()?;
                let index = self.rng.usize(..letter.len().max(1));
                Ok(letter.get(index).copied().map(String::from).unwrap_or_default())
            }
            letter => Ok(letter.to_string()),
        }
    }

    /// The letters that an escape stands for; none for an assertion.
    fn escaped(&mut self) -> Result<Vec<char>> {
        let letter = self.peek().context("the pattern ends in an escape")?;
        self.at += 1;
        Ok(match letter {
            'd' => ('0'..='9').collect(),
            'w' => ('a'..='z').chain('A'..='Z').chain('0'..='9').chain(['_']).collect(),
            's' => vec![' '],
            'D' | 'W' | 'S' => vec!['-'],
            'b' | 'B' => Vec::new(),
            'n' => vec!['\n'],
            't' => vec!['\t'],
            other => vec![other],
        })
    }

    fn class(&mut self) -> Result<String> {
        let negated = self.eat("^");
        let mut letters: Vec<char> = Vec::new();
        loop {
            let letter = self.peek().context("a class of the pattern does not end")?;
            self.at += 1;
            let from = match letter {
                ']' => break,
                '\\' => self.escaped()?,
                letter => vec![letter],
            };
            let ends_range = self.pattern.get(self.at + 1).is_some_and(|after| *after != ']');
            if let (true, true, [from]) = (self.peek() == Some('-'), ends_range, from.as_slice()) {
                let to = self.pattern[self.at + 1];
                self.at += 2;
                letters.extend(*from..=to);
            } else {
                letters.extend(from);
            }
        }
        if negated {
            letters = (' '..='~').filter(|letter| !letters.contains(letter)).collect();
        }
        let index = self.rng.usize(..letters.len().max(1));
        Ok(letters.get(index).copied().map(String::from).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_matches_its_pattern() {
        let mut rng = Rng::with_seed(1);
        for pattern in [
            r"^\+?\d{5,15}$",
            "https?://_*",
            "^[PT]{1}(?=(?:.{3}|.{8})$)[0-9]*$",
            "^([0-9]*[.])?[0-9]+$",
            r"\d{2}/\d{4}",
            "^(a|b|cd){2,3}[^x-z]+?$",
            r"^(?<name>[\w-]+)\.(com|no)$",
        ] {
            let check = regress::Regex::new(pattern).unwrap();
            for _ in 0..50 {
                let text = of_patterns(&[pattern], 0, Some(60), &mut rng).unwrap();
                assert!(check.find(&text).is_some(), "{pattern}: {text}");
            }
        }
    }

    #[test]
    fn a_pattern_that_nothing_fits_is_an_error() {
        let mut rng = Rng::with_seed(1);
        assert!(of_patterns(&["^a$", "^b$"], 0, None, &mut rng).is_err());
        assert!(of_patterns(&["^a{9}$"], 0, Some(3), &mut rng).is_err());
        assert!(of_patterns(&["("], 0, None, &mut rng).is_err());
    }
}
