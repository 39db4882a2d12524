//! A block as symbols and bits: the step from the block before, then its waves as runs of nothing and values.

use super::Block;
use super::huffman::Table;

/// How often each symbol occurs.
#[derive(Debug)]
pub(super) struct Counts {
    pub(super) steps: [u32; 256],
    pub(super) waves: [u32; 256],
}

impl Default for Counts {
    fn default() -> Self {
        Self { steps: [0; 256], waves: [0; 256] }
    }
}

/// The rest of a block is nothing; and sixteen times nothing.
const END: u8 = 0x00;
const SIXTEEN: u8 = 0xf0;

pub(super) fn count(block: &Block, before: &mut i16, counts: &mut Counts) {
    walk(block, before, |is_step, symbol, _, _| {
        let counts = if is_step { &mut counts.steps } else { &mut counts.waves };
        counts[usize::from(symbol)] += 1;
    });
}

pub(super) fn code(block: &Block, before: &mut i16, tables: &[Table; 2], bits: &mut Bits<'_>) {
    walk(block, before, |is_step, symbol, value, size| {
        let (code, length) = tables[usize::from(!is_step)].code(symbol);
        bits.put(code, length);
        bits.put(value, size);
    });
}

/// Tells every symbol of a block with the bits that follow it.
fn walk(block: &Block, before: &mut i16, mut tell: impl FnMut(bool, u8, u16, u8)) {
    let (value, size) = bits_of(block[0] - *before);
    *before = block[0];
    tell(true, size, value, size);
    let mut nothing = 0;
    for &wave in &block[1..] {
        if wave == 0 {
            nothing += 1;
            continue;
        }
        while nothing > 15 {
            tell(false, SIXTEEN, 0, 0);
            nothing -= 16;
        }
        let (value, size) = bits_of(wave);
        tell(false, nothing << 4 | size, value, size);
        nothing = 0;
    }
    if nothing > 0 {
        tell(false, END, 0, 0);
    }
}

/// The bits of a value and how many they are; negative ones are one less, as T.81 has it.
fn bits_of(value: i16) -> (u16, u8) {
    let size = (16 - value.unsigned_abs().leading_zeros()) as u8;
    let bits = if value < 0 { value - 1 } else { value } as u16;
    (bits & ((1_u32 << size) - 1) as u16, size)
}

/// Bits on their way out. A byte of ones is followed by one of zeros.
#[derive(Debug)]
pub(super) struct Bits<'a> {
    out: &'a mut Vec<u8>,
    held: u64,
    count: u32,
}

impl<'a> Bits<'a> {
    pub(super) fn new(out: &'a mut Vec<u8>) -> Self {
        Self { out, held: 0, count: 0 }
    }

    fn put(&mut self, bits: u16, count: u8) {
        self.held = self.held << count | u64::from(bits);
        self.count += u32::from(count);
        while self.count >= 8 {
            self.count -= 8;
            let byte = (self.held >> self.count) as u8;
            self.out.push(byte);
            if byte == 0xff {
                self.out.push(0);
            }
        }
    }

    /// The last byte is filled with ones.
    pub(super) fn finish(mut self) {
        if self.count > 0 {
            self.put(0x7f, 7);
        }
    }
}
