//! Lines, dots and words on a picture, for reports.

/// Red, green, blue.
pub(crate) type Colour = [u8; 3];

/// A picture that is drawn on: RGB8, without padding.
#[derive(Clone, Debug)]
pub(crate) struct Drawing {
    pub(crate) rgb: Vec<u8>,
    pub(crate) width: usize,
    pub(crate) height: usize,
}

/// Pixels from one letter to the next, and from one line to the next.
pub(crate) const LETTER: usize = 8;
pub(crate) const LINE: usize = 14;

impl Drawing {
    pub(crate) fn new(width: usize, height: usize, colour: Colour) -> Self {
        Self { rgb: colour.repeat(width * height), width, height }
    }

    /// One pixel; outside the picture nothing happens.
    pub(crate) fn dot(&mut self, x: i32, y: i32, colour: Colour) {
        let inside = |at: i32, all: usize| usize::try_from(at).ok().filter(|&at| at < all);
        if let (Some(x), Some(y)) = (inside(x, self.width), inside(y, self.height)) {
            self.rgb[(y * self.width + x) * 3..][..3].copy_from_slice(&colour);
        }
    }

    pub(crate) fn fill(&mut self, (left, top): (i32, i32), width: usize, height: usize, colour: Colour) {
        for y in 0..height as i32 {
            (0..width as i32).for_each(|x| self.dot(left + x, top + y, colour));
        }
    }

    /// The four sides of a rectangle, between these corners.
    pub(crate) fn frame(&mut self, [x1, y1, x2, y2]: [i32; 4], colour: Colour) {
        // Far outside there is nothing to draw.
        let (x1, x2) = (x1.clamp(-1, self.width as i32), x2.clamp(-1, self.width as i32));
        let (y1, y2) = (y1.clamp(-1, self.height as i32), y2.clamp(-1, self.height as i32));
        (x1..=x2).for_each(|x| [y1, y2].into_iter().for_each(|y| self.dot(x, y, colour)));
        (y1..=y2).for_each(|y| [x1, x2].into_iter().for_each(|x| self.dot(x, y, colour)));
    }

    /// Another picture at a place, as much of it as fits.
    pub(crate) fn paste(&mut self, other: &Self, (left, top): (usize, usize)) {
        let width = other.width.min(self.width.saturating_sub(left));
        for (y, row) in other.rgb.chunks_exact(other.width * 3).enumerate() {
            let y = top + y;
            if y < self.height {
                self.rgb[(y * self.width + left) * 3..][..width * 3].copy_from_slice(&row[..width * 3]);
            }
        }
    }

    /// Words in capitals, each letter twice the size of its dots.
    pub(crate) fn write(&mut self, text: &str, (left, top): (i32, i32), colour: Colour) {
        for (at, letter) in text.chars().enumerate() {
            let dots = dots(letter.to_ascii_uppercase());
            for bit in (0..15).filter(|bit| dots >> (14 - bit) & 1 == 1) {
                let (x, y) = (left + (at * LETTER) as i32 + bit % 3 * 2, top + bit / 3 * 2);
                self.fill((x, y), 2, 2, colour);
            }
        }
    }
}

/// The dots of a letter: five rows of three, from the top left.
fn dots(letter: char) -> u16 {
    match letter {
        'A' => 0b010_101_111_101_101,
        'B' => 0b110_101_110_101_110,
        'C' => 0b011_100_100_100_011,
        'D' => 0b110_101_101_101_110,
        'E' => 0b111_100_110_100_111,
        'F' => 0b111_100_110_100_100,
        'G' => 0b011_100_101_101_011,
        'H' => 0b101_101_111_101_101,
        'I' => 0b111_010_010_010_111,
        'J' => 0b001_001_001_101_010,
        'K' => 0b101_101_110_101_101,
        'L' => 0b100_100_100_100_111,
        'M' => 0b101_111_111_101_101,
        'N' => 0b110_101_101_101_101,
        'O' | '0' => 0b111_101_101_101_111,
        'P' => 0b110_101_110_100_100,
        'Q' => 0b010_101_101_110_011,
        'R' => 0b110_101_110_101_101,
        'S' => 0b011_100_010_001_110,
        'T' => 0b111_010_010_010_010,
        'U' => 0b101_101_101_101_111,
        'V' => 0b101_101_101_101_010,
        'W' => 0b101_101_111_111_101,
        'X' => 0b101_101_010_101_101,
        'Y' => 0b101_101_010_010_010,
        'Z' => 0b111_001_010_100_111,
        '1' => 0b010_110_010_010_111,
        '2' => 0b110_001_010_100_111,
        '3' => 0b110_001_010_001_110,
        '4' => 0b101_101_111_001_001,
        '5' => 0b111_100_110_001_110,
        '6' => 0b011_100_111_101_111,
        '7' => 0b111_001_010_010_010,
        '8' => 0b111_101_111_101_111,
        '9' => 0b111_101_111_001_110,
        '.' => 0b000_000_000_000_010,
        ',' => 0b000_000_000_010_100,
        ':' => 0b000_010_000_010_000,
        '-' | '–' => 0b000_000_111_000_000,
        '%' => 0b101_001_010_100_101,
        '/' => 0b001_001_010_100_100,
        '×' => 0b000_101_010_101_000,
        '(' => 0b001_010_010_010_001,
        ')' => 0b100_010_010_010_100,
        '\'' => 0b010_010_000_000_000,
        '_' => 0b000_000_000_000_111,
        ';' => 0b000_010_000_010_100,
        ' ' => 0,
        _ => 0b111_101_101_101_111,
    }
}
