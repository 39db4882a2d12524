//! The number formats of weights.

/// The number format of a pack's weights, and of what its networks compute on a device that has it.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum Precision {
    /// 32-bit floats, as the reference computes. The better choice for a CPU.
    #[default]
    Fp32,
    /// 16-bit floats: half the size, and several times faster on most GPUs. The statistics of norms and softmaxes stay in 32
    /// bits. A CPU widens the weights once when it loads them.
    Fp16,
}

impl Precision {
    /// The word in `pack.json` and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Fp32 => "fp32",
            Self::Fp16 => "fp16",
        }
    }
}
