//! What ships may not grow unseen.

use std::fs;
use std::path::Path;

use crate::Outcome;

/// Prints how large a file is.
///
/// # Errors
/// When there is none, or it is larger than `ceiling` bytes.
pub fn check(file: &Path, ceiling: u64) -> Outcome {
    let bytes = fs::metadata(file).map_err(|error| format!("{}: {error}", file.display()))?.len();
    let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    println!("{name}: {bytes} bytes (ceiling {ceiling})");
    under(&name, bytes, ceiling)
}

/// # Errors
/// When `bytes` are more than `ceiling`.
pub fn under(name: &str, bytes: u64, ceiling: u64) -> Outcome {
    match bytes.checked_sub(ceiling) {
        Some(over @ 1..) => Err(format!("{name} is {over} bytes over its ceiling")),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::under;

    #[test]
    fn what_is_at_its_ceiling_is_under_it_and_a_byte_more_is_not() {
        assert_eq!(under("it", 10, 10), Ok(()));
        assert_eq!(under("it", 11, 10), Err("it is 1 bytes over its ceiling".to_owned()));
    }
}
