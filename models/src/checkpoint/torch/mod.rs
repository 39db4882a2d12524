//! Files that `torch.save` writes: zip archives, and the pickles in a row that PyTorch wrote before 1.6.
//!
//! | module | holds |
//! |---|---|
//! | `pickle`, `opcode`, `value` | the interpreter, which builds tensors and nothing else; what it builds |
//! | `state` | from what it built to named tensors |
//! | `numbers` | lists of boxes, which are pickles of their own |
//! | `archive`, `legacy` | where the two kinds of files keep their pickle and their storages |

#[cfg(test)]
mod altered;
mod archive;
#[cfg(test)]
mod fixtures;
mod legacy;
mod numbers;
mod opcode;
mod pickle;
mod state;
mod value;

pub(super) use self::archive::contents as zip_contents;
pub(super) use self::legacy::contents as legacy_contents;
pub(crate) use self::numbers::boxes;
