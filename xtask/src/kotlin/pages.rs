//! Pages of 16 KiB, which Android 15 and later may have: a library whose parts do not begin at them is not loaded there.

use std::fs;
use std::path::Path;

use crate::Outcome;

const PAGE: u64 = 16 * 1024;
const LOADED: u64 = 1;

/// Sees that what a phone loads of an ELF file is aligned to pages of 16 KiB.
///
/// # Errors
/// When it is not, or the file is none.
pub fn check(library: &Path) -> Outcome {
    let content = fs::read(library).map_err(|error| format!("{}: {error}", library.display()))?;
    let alignments = alignments(&content).ok_or_else(|| format!("{} is no ELF file", library.display()))?;
    match alignments.iter().find(|alignment| !alignment.is_multiple_of(PAGE) || **alignment == 0) {
        Some(alignment) => Err(format!(
            "{}: {alignment} bytes are no pages of 16 KiB: see RUSTFLAGS in build-native.sh",
            library.display()
        )),
        None if alignments.is_empty() => Err(format!("{}: nothing of it is loaded", library.display())),
        None => Ok(()),
    }
}

/// How each part that is loaded is aligned.
fn alignments(elf: &[u8]) -> Option<Vec<u64>> {
    // Little-endian, as all of Android's processors are.
    let (is_64, true) = (*elf.get(4)? == 2, elf.starts_with(b"\x7fELF") && *elf.get(5)? == 1) else {
        return None;
    };
    let number = |at: usize, width: usize| {
        let bytes = elf.get(at..at.checked_add(width)?)?;
        Some(bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    };
    let at = |number: u64| usize::try_from(number).ok();
    // The table of parts: where it begins, how wide and how many its entries are; where an entry has its alignment.
    let (begin, width, count, alignment, word) = match is_64 {
        true => (number(32, 8)?, number(54, 2)?, number(56, 2)?, 48, 8),
        false => (number(28, 4)?, number(42, 2)?, number(44, 2)?, 28, 4),
    };
    let mut found = Vec::new();
    for part in 0..count {
        let entry = at(begin.checked_add(part * width)?)?;
        if number(entry, 4)? == LOADED {
            found.push(number(entry.checked_add(alignment)?, word)?);
        }
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::{Path, PathBuf};
    use std::process::Command;

    use super::{alignments, check};
    use crate::places;

    const SCRIPT: &str = "android/scripts/build-native.sh";

    /// A file with one part that is loaded and one that is not.
    fn elf(is_64: bool, alignment: u64) -> Vec<u8> {
        let (head, width, at) = if is_64 { (64, 56, 48) } else { (52, 32, 28) };
        let mut file = vec![0; head + 2 * width];
        file[..6].copy_from_slice(&[0x7f, b'E', b'L', b'F', if is_64 { 2 } else { 1 }, 1]);
        let (begin, size) = if is_64 { (32, 54) } else { (28, 42) };
        file[begin] = head.to_le_bytes()[0];
        file[size] = width.to_le_bytes()[0];
        file[size + 2] = 2;
        file[head] = 6;
        file[head + width] = 1;
        file[head + width + at..][..4].copy_from_slice(&alignment.to_le_bytes()[..4]);
        file
    }

    fn written(name: &str, content: &[u8]) -> PathBuf {
        let path = std::env::temp_dir().join(format!("kite-pages-{}-{name}", std::process::id()));
        fs::write(&path, content).expect("a file can be written");
        path
    }

    #[test]
    fn a_library_with_small_pages_is_found() {
        for is_64 in [true, false] {
            assert_eq!(alignments(&elf(is_64, 0x4000)), Some(vec![0x4000]));
            for (alignment, is_right) in [(0x4000, true), (0x10000, true), (0x1000, false), (0, false)] {
                let path = written(&format!("{is_64}-{alignment}"), &elf(is_64, alignment));
                assert_eq!(check(&path).is_ok(), is_right, "{alignment}");
                fs::remove_file(path).expect("it is there");
            }
        }
        for cut in [&b""[..], b"!<arch>\n", &elf(true, 0x4000)[..100]] {
            let path = written(&format!("cut-{}", cut.len()), cut);
            assert!(check(&path).is_err());
            fs::remove_file(path).expect("it is there");
        }
    }

    #[test]
    fn the_script_asks_for_pages_of_16_kib_and_every_script_can_be_read() {
        let script = fs::read_to_string(places::root().join(SCRIPT)).expect("the script");
        let flag = script.find("-Wl,-z,max-page-size=16384").expect("the flag of the linker");
        let build = script.find("cargo ndk").expect("the build for phones");
        let unset = script.find("unset RUSTFLAGS").expect("the end of the flag");
        assert!(script[..flag].ends_with("export RUSTFLAGS=\"${RUSTFLAGS:-} -C link-arg="), "{script}");
        assert!(flag < build && build < unset, "{script}");
        for script in [SCRIPT, "ios/build-xcframework.sh", "xtask/swift/check-app.sh"] {
            let read = Command::new("sh").arg("-n").arg(places::root().join(script)).status().expect("sh");
            assert!(read.success() && Path::new(script).extension().is_some(), "{script}");
        }
    }
}
