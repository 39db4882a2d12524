//! Checkpoints of MuseTalk's networks, written as ONNX graphs into a pack.
//!
//! [`PackBuilder`] reads a folder of checkpoints, MuseTalk's own or Hugging Face's (safetensors and `torch.save` files;
//! nothing in them is executed), and writes the pack that `musetalk-core` loads. The graphs are built here, operation by operation, at any width and depth that the
//! configurations state; no Python and no PyTorch is involved. `models/README.md` is the specification of a pack.
//!
//! | module | holds |
//! |---|---|
//! | `add_face` | light networks that find faces, added to a pack that is there |
//! | `pack`, `manifest`, `staging` | the build, `pack.json`, and how a folder appears complete or not at all |
//! | `networks` | Whisper's encoder, the UNet, the autoencoder, the face parser and detector: one file each |
//! | `faces`, `landmarks` | the networks a pack may lack, and the one that is taken as it was published |
//! | `graph` | the graph builder, and the layers the networks share |
//! | `onnx` | the file format |
//! | `checkpoint`, `tensor` | reading weights, and folding them |
//! | [`tiny`] | a checkpoint of a few thousand weights for tests |

mod add_face;
mod checkpoint;
mod faces;
mod graph;
mod landmarks;
mod manifest;
mod networks;
mod onnx;
mod pack;
mod progress;
mod staging;
mod tensor;
pub mod tiny;

pub use musetalk_core::{Error, ErrorKind, Precision, Result};

pub use self::add_face::FaceAdder;
pub use self::checkpoint::ModelVersion;
pub use self::pack::{BuiltPack, PackBuilder};
pub use self::progress::Progress;
