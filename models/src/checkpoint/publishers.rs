//! Where the published files come from, what their publishers allow, and how large they are.

use std::fmt;

use super::names::Role;

/// One published file.
#[derive(Debug)]
pub(crate) struct Published {
    /// What it holds, for a person.
    pub(crate) what: &'static str,
    /// Where MuseTalk's own layout has it.
    pub(crate) file: &'static str,
    pub(crate) publisher: &'static str,
    pub(crate) licence: &'static str,
    size: &'static str,
}

const MUSETALK_LICENCE: &str = "CreativeML Open RAIL-M by its model card; \"available for any purpose, even commercially\" by its README";

pub(crate) const UNET_15: Published = Published {
    what: "generator (UNet 1.5)",
    file: "musetalkV15/unet.pth",
    publisher: "TMElyralab/MuseTalk on Hugging Face",
    licence: MUSETALK_LICENCE,
    size: "3.40 GB",
};

pub(crate) const UNET_10: Published = Published {
    what: "generator (UNet 1.0)",
    file: "musetalk/pytorch_model.bin",
    publisher: "TMElyralab/MuseTalk on Hugging Face",
    licence: MUSETALK_LICENCE,
    size: "3.40 GB",
};

const VAE: Published = Published {
    what: "autoencoder (VAE)",
    file: "sd-vae/diffusion_pytorch_model.bin",
    publisher: "stabilityai/sd-vae-ft-mse on Hugging Face",
    licence: "MIT",
    size: "335 MB",
};

const WHISPER: Published = Published {
    what: "audio encoder (Whisper tiny)",
    file: "whisper/pytorch_model.bin",
    publisher: "openai/whisper-tiny on Hugging Face",
    licence: "Apache-2.0 by its model card, MIT by OpenAI's repository",
    size: "151 MB",
};

const FACE_PARSER: Published = Published {
    what: "face parser (BiSeNet)",
    file: "face-parse-bisent/79999_iter.pth",
    publisher: "zllrunning/face-parsing.PyTorch on GitHub",
    licence: "see the publisher",
    size: "53 MB",
};

const FACE_DETECTOR: Published = Published {
    what: "face detector (S3FD)",
    file: "s3fd-619a316812.pth",
    publisher: "1adrianb/face-alignment on GitHub",
    licence: "see the publisher",
    size: "90 MB",
};

pub(crate) const FACE_LANDMARKS: Published = Published {
    what: "face landmarks (DWPose)",
    file: "dwpose/dw-ll_ucoco_384.onnx",
    publisher: "yzd-v/DWPose on Hugging Face, from IDEA-Research/DWPose",
    licence: "Apache-2.0",
    size: "134 MB",
};

/// The file that holds a network; of the generator that of 1.5.
pub(crate) fn published(role: Role) -> &'static Published {
    match role {
        Role::Unet => &UNET_15,
        Role::Vae => &VAE,
        Role::Whisper => &WHISPER,
        Role::FaceParser => &FACE_PARSER,
        Role::FaceDetector => &FACE_DETECTOR,
    }
}

impl fmt::Display for Published {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, file, publisher, licence, size } = self;
        write!(f, "{what}: {file}, {size}, from {publisher}; licence: {licence}")
    }
}
