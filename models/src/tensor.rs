//! A tensor in memory: a shape and f32 values, with the few rearrangements that folding needs.

/// Values in row-major order.
#[derive(Clone, Debug)]
pub(crate) struct Tensor {
    pub(crate) shape: Vec<usize>,
    pub(crate) values: Vec<f32>,
}

impl Tensor {
    pub(crate) fn new(shape: &[usize], values: Vec<f32>) -> Self {
        debug_assert_eq!(shape.iter().product::<usize>(), values.len(), "a tensor holds what its shape says");
        Self { shape: shape.to_vec(), values }
    }

    pub(crate) fn zeros(shape: &[usize]) -> Self {
        Self::new(shape, vec![0.0; shape.iter().product()])
    }

    /// The same values under another shape.
    pub(crate) fn reshaped(self, shape: &[usize]) -> Self {
        Self::new(shape, self.values)
    }

    /// Rows become columns.
    pub(crate) fn transposed(&self) -> Self {
        let (rows, columns) = (self.shape[0], self.shape[1]);
        let mut values = Vec::with_capacity(self.values.len());
        for column in 0..columns {
            values.extend((0..rows).map(|row| self.values[row * columns + column]));
        }
        Self::new(&[columns, rows], values)
    }

    pub(crate) fn scaled(mut self, factor: f32) -> Self {
        self.values.iter_mut().for_each(|v| *v *= factor);
        self
    }

    pub(crate) fn plus(mut self, other: &Self) -> Self {
        self.values.iter_mut().zip(&other.values).for_each(|(a, b)| *a += b);
        self
    }

    pub(crate) fn offset(mut self, by: f32) -> Self {
        self.values.iter_mut().for_each(|v| *v += by);
        self
    }

    /// The first `count` entries from `start` along the first side.
    pub(crate) fn rows(&self, start: usize, count: usize) -> Self {
        let row = self.values.len() / self.shape[0];
        let mut shape = self.shape.clone();
        shape[0] = count;
        Self::new(&shape, self.values[start * row..(start + count) * row].to_vec())
    }

    /// A matrix [out, in] times a vector [in], summed in f64.
    pub(crate) fn times(&self, vector: &Self) -> Self {
        let width = self.shape[1];
        let rows = self.values.chunks_exact(width.max(1));
        let sums = rows.map(|row| {
            row.iter().zip(&vector.values).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum::<f64>() as f32
        });
        Self::new(&[self.shape[0]], sums.collect())
    }

    /// A matrix [out, in] times a matrix [in, columns], summed in f64.
    pub(crate) fn matrix(&self, other: &Self) -> Self {
        let by_column = other.transposed();
        let columns = by_column.values.chunks_exact(other.shape[0].max(1));
        let products =
            columns.map(|column| self.times(&Self::new(&[other.shape[0]], column.to_vec())).values);
        let values = products.flatten().collect();
        Self::new(&[other.shape[1], self.shape[0]], values).transposed()
    }

    /// A matrix [out, in] whose column i is multiplied by `factors[i]`.
    pub(crate) fn columns_scaled(mut self, factors: &Self) -> Self {
        for row in self.values.chunks_exact_mut(factors.values.len().max(1)) {
            row.iter_mut().zip(&factors.values).for_each(|(v, f)| *v *= f);
        }
        self
    }
}
