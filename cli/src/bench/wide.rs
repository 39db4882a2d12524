//! Ten seconds at 1080p: the avatar that was given, where it has that much, or one that is made for the measurement.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use musetalk_core::{AvatarAsset, AvatarHeader, AvatarMaker, Engine, FaceBox, Result};

use super::Bench;
use crate::cancel;
use crate::temp::Temp;

/// Pixels of a frame, and seconds, that the aims speak of.
const SIZE: (u32, u32) = (1920, 1080);
const SECONDS: f64 = 10.0;

/// The avatar that opening and memory are measured with.
pub(super) struct Wide {
    path: PathBuf,
    asset: Arc<AvatarAsset>,
    /// Removes what was made.
    made: Option<Temp>,
}

impl Wide {
    pub(super) fn of(bench: &Bench) -> Result<Self> {
        let asset = &bench.asset;
        let pixels = u64::from(asset.width()) * u64::from(asset.height());
        let seconds = asset.fps().time_of(u64::from(asset.frames())).as_secs_f64();
        if pixels >= u64::from(SIZE.0) * u64::from(SIZE.1) && seconds >= SECONDS {
            return Ok(Self { path: bench.avatar.clone(), asset: Arc::clone(asset), made: None });
        }
        let folder = Temp::folder_in(&std::env::temp_dir())?;
        let path = folder.path().join("wide.avatar");
        make(bench, &path)?;
        Ok(Self { asset: Arc::new(AvatarAsset::open(&path)?), path, made: Some(folder) })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn asset(&self) -> &Arc<AvatarAsset> {
        &self.asset
    }

    /// What it is, for a line below the figure.
    pub(super) fn about(&self) -> String {
        let asset = &self.asset;
        let seconds = asset.fps().time_of(u64::from(asset.frames())).as_secs_f64();
        let size = format!("{}×{}, {seconds:.1} s", asset.width(), asset.height());
        let bytes = crate::pack::size(asset.file_bytes());
        match self.made {
            Some(_) => format!(
                "of a drawn avatar made for this: {size}, {bytes}; --avatar FILE of that size measures yours"
            ),
            None => format!("of the avatar that was given: {size}, {bytes}"),
        }
    }
}

/// A moving pattern with noise, which is as hard for a JPEG as a filmed room.
fn make(bench: &Bench, path: &Path) -> Result<()> {
    let fps = bench.engine.pack().fps();
    let header = AvatarHeader::new("wide", SIZE.0, SIZE.1, fps);
    let frames = (SECONDS * f64::from(fps.numerator()) / f64::from(fps.denominator())).ceil() as u32;
    let mut maker = AvatarMaker::create(Engine::builder(&bench.pack).device(bench.device), path, header)?;
    let face = FaceBox { x1: 750, y1: 300, x2: 1170, y2: 790 };
    let side = face.crop().width() as usize;
    let mask: Vec<u8> = (0..side * side).map(|at| if at / side > side / 2 { 255 } else { 0 }).collect();
    let mut rgb = vec![0; (SIZE.0 * SIZE.1 * 3) as usize];
    for frame in 0..frames {
        cancel::check()?;
        let mut seed = frame.wrapping_mul(0x9e37_79b9) | 1;
        for (at, pixel) in (0_u32..).zip(rgb.as_chunks_mut::<3>().0) {
            let (x, y) = (at % SIZE.0, at / SIZE.0);
            seed ^= seed << 13;
            seed ^= seed >> 17;
            seed ^= seed << 5;
            let noise = (seed & 7) as u8;
            *pixel = [((x + frame) / 8) as u8 / 2, (y / 5) as u8 / 2, ((x + y) / 13) as u8 / 2]
                .map(|value| value + 40 + noise);
        }
        maker.frame(&rgb, None, face, &mask)?;
    }
    maker.finish()
}
