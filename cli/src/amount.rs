//! Amounts as people type and read them: in satoshi.

use std::str::FromStr;

/// There are no more satoshi than these.
const MAX_SAT: u64 = 2_100_000_000_000_000;

/// An amount that was typed, in millisatoshi: `1000`, `1_000`, `1000sat` or `1500msat`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Msat(pub u64);

/// An amount that was typed and must be whole satoshi.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sat(pub u64);

impl FromStr for Msat {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let lower = text.trim().to_ascii_lowercase();
        let (number, msat_each) = match (lower.strip_suffix("msat"), lower.strip_suffix("sat")) {
            (Some(number), _) => (number, 1),
            (None, Some(number)) => (number, 1_000),
            (None, None) => (lower.as_str(), 1_000),
        };
        let digits = number.trim_end().replace('_', "");
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err("an amount is a whole number of sat, as in 25000, 25_000sat or 1500msat".into());
        }
        let number: u64 = digits.parse().map_err(|_| too_much())?;
        let msat = number.checked_mul(msat_each).filter(|msat| *msat <= MAX_SAT * 1_000);
        msat.map(Self).ok_or_else(too_much)
    }
}

impl FromStr for Sat {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let Msat(msat) = text.parse()?;
        match msat % 1_000 {
            0 => Ok(Self(msat / 1_000)),
            _ => Err("on-chain there are whole sat only".into()),
        }
    }
}

fn too_much() -> String {
    "there are not that many sat in the world".into()
}

/// `1 234 567 sat`, with thousandths only where there are any.
pub fn in_sat(msat: u64) -> String {
    let fraction = match msat % 1_000 {
        0 => String::new(),
        thousandths => format!(".{thousandths:03}").trim_end_matches('0').to_owned(),
    };
    format!("{}{fraction} sat", grouped(msat / 1_000))
}

/// The same for whole satoshi.
pub fn sat(sat: u64) -> String {
    format!("{} sat", grouped(sat))
}

/// `1 block`, `2 blocks`.
pub fn counted(count: u64, what: &str) -> String {
    let s = if count == 1 { "" } else { "s" };
    format!("{} {what}{s}", grouped(count))
}

/// Digits in threes.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{Msat, Sat, in_sat};

    #[test]
    fn amounts_are_typed_in_sat_unless_they_say_otherwise() {
        for (text, msat) in [
            ("1", 1_000),
            ("25_000", 25_000_000),
            ("25000sat", 25_000_000),
            ("25000 SAT", 25_000_000),
            ("1500msat", 1_500),
            ("0", 0),
            ("2100000000000000", 2_100_000_000_000_000_000),
        ] {
            assert_eq!(text.parse(), Ok(Msat(msat)), "{text}");
        }
        let wrong = ["", "sat", "-1", "1.5", "1,000", "0x10", "1e3", "1btc", "²", "2100000000000001"];
        for text in wrong.into_iter().chain(["99999999999999999999"]) {
            assert!(text.parse::<Msat>().is_err(), "{text}");
        }
    }

    #[test]
    fn on_chain_there_are_whole_sat_only() {
        assert_eq!("2000msat".parse(), Ok(Sat(2)));
        assert!("2001msat".parse::<Sat>().is_err());
    }

    #[test]
    fn amounts_are_read_in_sat() {
        assert_eq!(in_sat(0), "0 sat");
        assert_eq!(in_sat(1), "0.001 sat");
        assert_eq!(in_sat(1_500), "1.5 sat");
        assert_eq!(in_sat(1_234_567_000), "1 234 567 sat");
        assert_eq!(in_sat(u64::MAX), "18 446 744 073 709 551.615 sat");
    }
}
