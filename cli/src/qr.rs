//! QR codes for the terminal.

use qrcode::render::unicode::Dense1x2;
use qrcode::{EcLevel, QrCode};

/// White on black, whatever the colours of the terminal are.
const COLOURS: &str = "\x1b[97;40m";
const NO_COLOURS: &str = "\x1b[0m";

/// The code, two modules in a character. Unset for a text that is too long for one.
pub fn code(text: &str) -> Option<String> {
    let code = QrCode::with_error_correction_level(text, EcLevel::L).ok()?;
    // The light modules are drawn: terminals are dark.
    let drawn = code.render::<Dense1x2>().dark_color(Dense1x2::Light).light_color(Dense1x2::Dark).build();
    Some(drawn.lines().map(|line| format!("{COLOURS}{line}{NO_COLOURS}\n")).collect())
}

#[cfg(test)]
mod tests {
    use super::{COLOURS, NO_COLOURS, code};

    #[test]
    fn a_code_is_square_and_stands_in_a_quiet_zone() {
        let text = code("BITCOIN:BCRT1QXYZ").expect("short enough");
        let lines: Vec<&str> = text
            .lines()
            .map(|line| {
                line.strip_prefix(COLOURS).and_then(|line| line.strip_suffix(NO_COLOURS)).expect("coloured")
            })
            .collect();
        let width = lines[0].chars().count();
        assert!(lines.iter().all(|line| line.chars().count() == width));
        assert_eq!(lines.len(), width.div_ceil(2));
        // Four modules of quiet zone all around (ISO 18004) are two lines.
        assert!(lines[..2].iter().all(|line| line.chars().all(|character| character == '█')));
        assert!(lines[4].starts_with("████") && lines[4].ends_with("████"));
    }

    #[test]
    fn another_reader_reads_it() {
        for said in ["BITCOIN:BCRT1QXYZ", &"LNBCRT1".repeat(60)] {
            let text = code(said).expect("short enough").replace(COLOURS, "").replace(NO_COLOURS, "");
            // What a camera sees: each character is two modules, of four by four points.
            let rows: Vec<Vec<char>> = text.lines().map(|line| line.chars().collect()).collect();
            let (width, height) = (rows[0].len() * 4, rows.len() * 8);
            let mut image = rqrr::PreparedImage::prepare_from_greyscale(width, height, |x, y| {
                let is_light = match rows[y / 8][x / 4] {
                    '█' => true,
                    '▀' => y % 8 < 4,
                    '▄' => y % 8 >= 4,
                    _ => false,
                };
                if is_light { 255 } else { 0 }
            });
            let grids = image.detect_grids();
            assert_eq!(grids.len(), 1);
            assert_eq!(grids[0].decode().expect("a code").1, said);
        }
    }

    #[test]
    fn what_is_too_long_has_none() {
        assert_eq!(code(&"A".repeat(5_000)), None);
    }
}
