//! Huffman codes for counted symbols, no code longer than 16 bits and none all ones, as T.81 wants them.

/// Bits of the longest code.
const LONGEST: usize = 16;
/// Stands for the code that no symbol may have.
const NOBODY: u16 = 256;

/// The codes of a table.
#[derive(Debug)]
pub(super) struct Table {
    /// How many codes have 1 … 16 bits.
    pub(super) counts: [u8; LONGEST],
    /// The symbols in the order of their codes.
    pub(super) symbols: Vec<u8>,
    /// Code and length by symbol.
    codes: [(u16, u8); 256],
}

impl Table {
    /// The shortest codes for symbols that occur so often.
    pub(super) fn of(counts: &[u32; 256]) -> Self {
        let mut lengths = lengths(counts);
        // Canonical order; the last code of all, which is all ones, is nobody's.
        lengths.sort_unstable_by_key(|&(symbol, length)| (length, symbol));
        let mut table = Self { counts: [0; LONGEST], symbols: Vec::new(), codes: [(0, 0); 256] };
        let (mut next, mut before) = (0_u32, 0);
        for (symbol, length) in lengths {
            next <<= length - before;
            before = length;
            if symbol != NOBODY {
                table.counts[usize::from(length) - 1] += 1;
                table.symbols.push(symbol as u8);
                table.codes[usize::from(symbol)] = (next as u16, length);
            }
            next += 1;
        }
        table
    }

    pub(super) fn code(&self, symbol: u8) -> (u16, u8) {
        self.codes[usize::from(symbol)]
    }
}

/// The length of every symbol that occurs, by merging packages: the cheapest ways to spend two halves for a whole, level by level.
fn lengths(counts: &[u32; 256]) -> Vec<(u16, u8)> {
    let mut coins: Vec<(u64, Vec<u16>)> = vec![(0, vec![NOBODY])];
    let occurring = counts.iter().zip(0..).filter(|(count, _)| **count > 0);
    coins.extend(occurring.map(|(&count, symbol)| (u64::from(count), vec![symbol])));
    if coins.len() == 1 {
        // A table must not be empty.
        coins.push((1, vec![0]));
    }
    coins.sort_by_key(|(weight, _)| *weight);
    let mut level = coins.clone();
    for _ in 1..LONGEST {
        let pairs =
            level.chunks_exact(2).map(|pair| (pair[0].0 + pair[1].0, [&pair[0].1[..], &pair[1].1].concat()));
        let mut merged: Vec<(u64, Vec<u16>)> = pairs.chain(coins.iter().cloned()).collect();
        merged.sort_by_key(|(weight, _)| *weight);
        level = merged;
    }
    let mut lengths = [0_u8; 257];
    for (_, symbols) in &level[..2 * coins.len() - 2] {
        symbols.iter().for_each(|&symbol| lengths[usize::from(symbol)] += 1);
    }
    // Among equals nobody's code is the last, so that it is the one of all ones.
    (0..=NOBODY)
        .filter(|&symbol| lengths[usize::from(symbol)] > 0)
        .map(|s| (s, lengths[usize::from(s)]))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_fill_the_tree_and_leave_the_last_one_free() {
        let mut state = 1_u32;
        for round in 0..200 {
            let mut counts = [0; 256];
            for count in &mut counts[..1 + round] {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                // Some very rare, so that plain codes would be too long.
                *count = 1 << (state >> 27).min(24);
            }
            let table = Table::of(&counts);
            let used: u32 = table.counts.iter().zip(1..).map(|(&n, bits)| u32::from(n) << (16 - bits)).sum();
            assert!(used < 1 << 16, "one code at least is free");
            assert_eq!(table.symbols.len(), 1 + round);
            for &symbol in &table.symbols {
                let (code, length) = table.code(symbol);
                assert!((1..=16).contains(&length) && u32::from(code) < (1 << length) - 1, "not all ones");
            }
        }
    }

    #[test]
    fn what_occurs_often_is_short() {
        let mut counts = [0; 256];
        (counts[3], counts[9], counts[200]) = (1_000, 10, 1);
        let table = Table::of(&counts);
        assert_eq!(table.code(3), (0, 1));
        assert!(table.code(9).1 < table.code(200).1 || table.code(200).1 == 3);
    }
}
