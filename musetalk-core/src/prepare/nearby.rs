//! The colours of a person carried on beyond its edge: what a soft edge is made of, and what lies behind a transparent pixel.

/// Side of a cell, in pixels.
const CELL: usize = 8;
/// Cells further away than so many are grey.
const FAR: usize = 12;
const GREY: f32 = 128.0;

/// Rings in which cells that hold an edge take the colour from further inside.
const INNER: usize = 4;

/// The person's colour in and around every cell of a frame.
#[derive(Debug)]
pub(super) struct Nearby {
    columns: usize,
    rows: usize,
    cells: Vec<Cell>,
    /// Colours of the cells' row that is between two, for one row of pixels.
    line: Vec<[f32; 3]>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Cell {
    sums: [f32; 3],
    count: f32,
    /// Not the person alone, or beside such a cell.
    edge: bool,
    colour: Option<[f32; 3]>,
}

impl Nearby {
    pub(super) fn new((width, height): (usize, usize)) -> Self {
        let (columns, rows) = (width.div_ceil(CELL), height.div_ceil(CELL));
        let line = vec![[0.0; 3]; columns];
        Self { columns, rows, cells: vec![Cell::default(); columns * rows], line }
    }

    /// Counts a pixel that seems to be the person's.
    pub(super) fn add(&mut self, x: usize, y: usize, colour: [f32; 3]) {
        let cell = &mut self.cells[y / CELL * self.columns + x / CELL];
        cell.sums.iter_mut().zip(colour).for_each(|(sum, value)| *sum += value);
        cell.count += 1.0;
    }

    /// Counts a pixel that is something else, too.
    pub(super) fn mark(&mut self, x: usize, y: usize) {
        self.cells[y / CELL * self.columns + x / CELL].edge = true;
    }

    /// Whether the person alone is at a pixel and around it.
    pub(super) fn is_inside(&self, x: usize, y: usize) -> bool {
        !self.cells[y / CELL * self.columns + x / CELL].edge
    }

    /// Gives every cell a colour: its own inside the person, else the mean of those around that have one, ring by ring from the inside;
    /// grey where that is far.
    pub(super) fn carry_on(&mut self) {
        let marked: Vec<usize> = (0..self.cells.len()).filter(|&at| self.cells[at].edge).collect();
        for at in marked {
            for beside in self.around(at) {
                self.cells[beside].edge = true;
            }
        }
        let mut last = Vec::new();
        for ring in 0..FAR {
            if ring == 0 {
                last = self.settle(|cell| !cell.edge);
            } else if ring == INNER {
                // Too thin to have an inside: better its own edge than nothing.
                last.extend(self.settle(|cell| cell.count > 0.0));
            }
            let mut next: Vec<usize> = last.iter().flat_map(|&at| self.around(at)).collect();
            next.retain(|&at| self.cells[at].colour.is_none());
            next.sort_unstable();
            next.dedup();
            // From those of the rings before alone, so that no direction comes first.
            let part = ((ring + 1) as f32 / FAR as f32).powi(3);
            let mean = |&at: &usize| {
                let known = self.around(at).filter_map(|beside| self.cells[beside].colour);
                let (sums, count) = known.fold(([0.0; 3], 0.0_f32), |(sums, count), colour| {
                    (std::array::from_fn(|c| sums[c] + colour[c]), count + 1.0)
                });
                sums.map(|sum: f32| {
                    let mean = sum / count.max(1.0);
                    mean + (GREY - mean) * part
                })
            };
            let colours: Vec<[f32; 3]> = next.iter().map(mean).collect();
            for (&at, colour) in next.iter().zip(colours) {
                self.cells[at].colour = Some(colour);
            }
            last = next;
        }
    }

    /// Gives cells of some kind their own colour, and names them.
    fn settle(&mut self, wanted: impl Fn(&Cell) -> bool) -> Vec<usize> {
        let some = |cell: &Cell| cell.colour.is_none() && cell.count > 0.0 && wanted(cell);
        let chosen: Vec<usize> = (0..self.cells.len()).filter(|&at| some(&self.cells[at])).collect();
        for &at in &chosen {
            let cell = &mut self.cells[at];
            cell.colour = Some(cell.sums.map(|sum| sum / cell.count));
        }
        chosen
    }

    /// A cell and those around it.
    fn around(&self, at: usize) -> impl Iterator<Item = usize> + use<> {
        let (columns, rows) = (self.columns, self.rows);
        let (x, y) = (at % columns, at / columns);
        let (left, top) = (x.saturating_sub(1), y.saturating_sub(1));
        (top..(y + 2).min(rows)).flat_map(move |y| (left..(x + 2).min(columns)).map(move |x| y * columns + x))
    }

    /// Prepares a row of pixels.
    pub(super) fn row(&mut self, y: usize) {
        let (upper, lower, part) = between(y, self.rows);
        let row = |row: usize| &self.cells[row * self.columns..][..self.columns];
        for (out, (upper, lower)) in self.line.iter_mut().zip(row(upper).iter().zip(row(lower))) {
            let [upper, lower] = [upper, lower].map(|cell| cell.colour.unwrap_or([GREY; 3]));
            *out = std::array::from_fn(|c| upper[c] + (lower[c] - upper[c]) * part);
        }
    }

    /// The person's colour at a pixel of the prepared row.
    pub(super) fn at(&self, x: usize) -> [f32; 3] {
        let (left, right, part) = between(x, self.columns);
        let (left, right) = (self.line[left], self.line[right]);
        std::array::from_fn(|c| left[c] + (right[c] - left[c]) * part)
    }
}

/// The cells whose middles lie before and after a pixel, and how far it is from the first.
fn between(at: usize, cells: usize) -> (usize, usize, f32) {
    let place = ((at as f32 + 0.5) / CELL as f32 - 0.5).clamp(0.0, cells as f32 - 1.0);
    let first = place as usize;
    (first, (first + 1).min(cells - 1), place - first as f32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_colour_goes_on_and_fades_to_grey() {
        let mut nearby = Nearby::new((401, 33));
        for y in 0..33 {
            (0..40).for_each(|x| nearby.add(x, y, if x < 16 { [200.0, 100.0, 50.0] } else { [0.0; 3] }));
            (40..401).for_each(|x| nearby.mark(x, y));
        }
        nearby.carry_on();
        nearby.row(20);
        assert!(nearby.is_inside(31, 0) && !nearby.is_inside(32, 0) && !nearby.is_inside(40, 0));
        assert_eq!(nearby.at(3), [200.0, 100.0, 50.0]);
        // What is beside the edge does not count where there is an inside.
        assert!(nearby.at(60)[0] < 10.0, "{:?}", nearby.at(60));
        let far: Vec<f32> = (40..400).map(|x| nearby.at(x)[0]).collect();
        assert!(far.windows(2).all(|pair| pair[1] >= pair[0] - 1e-3), "it fades");
        assert_eq!(nearby.at(400), [GREY; 3]);
        // A thin one keeps its own, and nobody is grey.
        let mut thin = Nearby::new((40, 40));
        thin.add(20, 20, [9.0; 3]);
        thin.mark(21, 20);
        thin.carry_on();
        thin.row(20);
        assert!(thin.at(20)[0] < 40.0 && !thin.is_inside(20, 20));
        let mut nobody = Nearby::new((9, 9));
        nobody.carry_on();
        nobody.row(8);
        assert_eq!(nobody.at(8), [GREY; 3]);
    }
}
