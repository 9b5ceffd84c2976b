//! The amount in the human-readable part (BOLT 11, Human-Readable Part).

use super::InvoiceError;
use crate::types::{AmountError, MilliSatoshi};

const PICO_BITCOIN_PER_MSAT: u64 = 10;

/// Reads what stands between the network's prefix and the separator; unset where nothing does.
pub(super) fn parse_amount(text: &str) -> Result<Option<MilliSatoshi>, InvoiceError> {
    if text.is_empty() {
        return Ok(None);
    }
    let digits_end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, multiplier) = text.split_at(digits_end);
    if digits.is_empty() {
        return Err(InvoiceError::InvalidAmount);
    }
    let pico_bitcoin_per_unit: u64 = match multiplier {
        "" => 1_000_000_000_000,
        "m" => 1_000_000_000,
        "u" => 1_000_000,
        "n" => 1_000,
        "p" => 1,
        other => return Err(InvoiceError::InvalidMultiplier { multiplier: other.to_owned() }),
    };
    // Only digits: what cannot be read is too large.
    let units: u64 = digits.parse().map_err(|_| InvoiceError::AmountOverflow)?;
    let msat = if pico_bitcoin_per_unit < PICO_BITCOIN_PER_MSAT {
        if !units.is_multiple_of(PICO_BITCOIN_PER_MSAT) {
            return Err(InvoiceError::SubMillisatoshi);
        }
        units / PICO_BITCOIN_PER_MSAT
    } else {
        units
            .checked_mul(pico_bitcoin_per_unit / PICO_BITCOIN_PER_MSAT)
            .ok_or(InvoiceError::AmountOverflow)?
    };
    if msat == 0 {
        return Err(InvoiceError::AmountZero);
    }
    match MilliSatoshi::try_from_msat(msat) {
        Ok(amount) => Ok(Some(amount)),
        Err(AmountError::AboveSupply { msat }) => Err(InvoiceError::AmountAboveSupply { msat }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn msat(text: &str) -> Result<Option<u64>, InvoiceError> {
        parse_amount(text).map(|amount| amount.map(MilliSatoshi::to_msat))
    }

    #[test]
    fn every_multiplier() {
        assert_eq!(msat(""), Ok(None));
        assert_eq!(msat("1"), Ok(Some(100_000_000_000)));
        assert_eq!(msat("20m"), Ok(Some(2_000_000_000)));
        assert_eq!(msat("2500u"), Ok(Some(250_000_000)));
        assert_eq!(msat("1n"), Ok(Some(100)));
        assert_eq!(msat("9678785340p"), Ok(Some(967_878_534)));
        assert_eq!(msat("1000000u"), msat("1"), "a multiplier that is not the largest");
        assert_eq!(msat("0010n"), Ok(Some(1_000)), "only writers must leave out zeros");
    }

    #[test]
    fn what_is_not_an_amount() {
        assert_eq!(msat("x"), Err(InvoiceError::InvalidAmount));
        assert_eq!(msat("2500x"), Err(InvoiceError::InvalidMultiplier { multiplier: "x".into() }));
        assert_eq!(msat("2500mm"), Err(InvoiceError::InvalidMultiplier { multiplier: "mm".into() }));
        assert_eq!(msat("25.5m"), Err(InvoiceError::InvalidMultiplier { multiplier: ".5m".into() }));
        assert_eq!(msat("2500000001p"), Err(InvoiceError::SubMillisatoshi));
        assert_eq!(msat("0m"), Err(InvoiceError::AmountZero));
        assert_eq!(msat("18446744073709551616p"), Err(InvoiceError::AmountOverflow));
        assert_eq!(msat("18446744073709551615"), Err(InvoiceError::AmountOverflow));
        assert_eq!(msat("21000000"), Ok(Some(2_100_000_000_000_000_000)));
        assert_eq!(
            msat("21000001"),
            Err(InvoiceError::AmountAboveSupply { msat: 2_100_000_100_000_000_000 })
        );
        assert_eq!(
            msat("18446744073709551610p"),
            Ok(Some(1_844_674_407_370_955_161)),
            "the most that digits in pico-bitcoin can say is below the supply"
        );
    }
}
