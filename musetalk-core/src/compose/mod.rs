//! Arithmetic on pixels: from the decoder's square patch to a finished frame. Pure; nothing allocates once built, except what
//! only preparation uses.

pub(crate) mod blend;
pub(crate) mod filter;
pub(crate) mod morphology;
pub(crate) mod resize;
pub(crate) mod warp;

#[cfg(test)]
pub(crate) mod fixtures;

/// The columns and rows of a plane that are wanted of an operator.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Area {
    pub(crate) columns: std::ops::Range<usize>,
    pub(crate) rows: std::ops::Range<usize>,
}

impl Area {
    /// All of a plane of this width and height.
    pub(crate) fn whole((width, height): (usize, usize)) -> Self {
        Self { columns: 0..width, rows: 0..height }
    }

    /// What an operator reads that looks so many columns to both sides, and rows up and down, within a plane.
    pub(crate) fn reaching(
        &self,
        across: usize,
        up: usize,
        down: usize,
        (width, height): (usize, usize),
    ) -> Self {
        let wider = |range: &std::ops::Range<usize>, before: usize, after: usize, all: usize| {
            range.start.saturating_sub(before)..(range.end + after).min(all)
        };
        Self {
            columns: wider(&self.columns, across, across, width),
            rows: wider(&self.rows, up, down, height),
        }
    }
}

/// A rectangle of pixels; the right column and the bottom row are exclusive. May lie partly outside its image.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Rect {
    pub(crate) left: i32,
    pub(crate) top: i32,
    pub(crate) right: i32,
    pub(crate) bottom: i32,
}

impl Rect {
    pub(crate) const fn new(left: i32, top: i32, right: i32, bottom: i32) -> Self {
        Self { left, top, right, bottom }
    }

    /// 0 where the rectangle is empty.
    pub(crate) const fn width(&self) -> usize {
        if self.is_empty() { 0 } else { (self.right - self.left) as usize }
    }

    /// 0 where the rectangle is empty.
    pub(crate) const fn height(&self) -> usize {
        if self.is_empty() { 0 } else { (self.bottom - self.top) as usize }
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.left >= self.right || self.top >= self.bottom
    }

    /// What both cover; the default, at the origin, where they do not meet.
    pub(crate) fn intersection(&self, other: &Self) -> Self {
        let both = Self {
            left: self.left.max(other.left),
            top: self.top.max(other.top),
            right: self.right.min(other.right),
            bottom: self.bottom.min(other.bottom),
        };
        if both.is_empty() { Self::default() } else { both }
    }
}
