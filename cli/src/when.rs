//! Times as people read them.

use chrono::{DateTime, Local, SecondsFormat, Utc};

/// Day and minute where this machine is.
pub fn local(secs: u64) -> String {
    utc_time(secs)
        .map_or_else(String::new, |time| time.with_timezone(&Local).format("%Y-%m-%d %H:%M").to_string())
}

/// The time of day where this machine is.
pub fn time_of_day(secs: u64) -> String {
    utc_time(secs).map_or_else(String::new, |time| time.with_timezone(&Local).format("%H:%M:%S").to_string())
}

/// RFC 3339, UTC.
pub fn utc(secs: u64) -> String {
    utc_time(secs).map_or_else(String::new, |time| time.to_rfc3339_opts(SecondsFormat::Secs, true))
}

/// Seconds since 1970.
pub fn now_secs() -> u64 {
    u64::try_from(Utc::now().timestamp()).unwrap_or_default()
}

/// A span in its largest unit.
pub fn span(secs: u64) -> String {
    let (count, unit) = match secs {
        0..=119 => (secs, "s"),
        120..=7_199 => (secs / 60, "min"),
        7_200..=172_799 => (secs / 3_600, "h"),
        _ => (secs / 86_400, "days"),
    };
    format!("{count} {unit}")
}

/// Unset for a year that no calendar has.
fn utc_time(secs: u64) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp(i64::try_from(secs).ok()?, 0)
}

#[cfg(test)]
mod tests {
    use super::{span, utc};

    #[test]
    fn times_are_rfc_3339() {
        assert_eq!(utc(0), "1970-01-01T00:00:00Z");
        assert_eq!(utc(1_796_000_000), "2026-11-30T00:53:20Z");
        assert_eq!(utc(u64::MAX), "");
    }

    #[test]
    fn spans_have_one_unit() {
        assert_eq!([span(5), span(3_600), span(86_400), span(864_000)], ["5 s", "60 min", "24 h", "10 days"]);
    }
}
