//! Footage that is short enough is decoded once, and held.

use std::sync::Mutex;

use super::{AvatarAsset, Layer, Reading};
use crate::frame::PixelFormat;
use crate::{Error, ErrorKind, Result};

impl AvatarAsset {
    /// What holding the whole footage takes, in bytes.
    pub(crate) fn held_bytes(&self, format: PixelFormat) -> u64 {
        let faces: u64 = self.rows.iter().map(|row| (row.face.crop().width() as u64).pow(2)).sum();
        let closed = if self.meta.closed { 3 * u64::from(self.meta.image_size).pow(2) } else { 0 };
        faces + u64::from(self.meta.frames) * (self.picture_bytes(format) as u64 + closed)
    }

    /// Decodes the whole footage in this format, on all cores, unless that was done before.
    pub(crate) fn hold(&self, format: PixelFormat) -> Result<()> {
        let held = &self.held[format as usize];
        if held.get().is_some() {
            return Ok(());
        }
        let size = self.picture_bytes(format);
        let bytes = size * self.meta.frames as usize;
        let mut all = Vec::new();
        all.try_reserve_exact(bytes).map_err(|e| {
            let text =
                format!("the frames of the avatar need {bytes} bytes; lower AvatarOptions::preload_limit");
            self.named(Error::new(ErrorKind::OutOfMemory, text).caused_by(e))
        })?;
        all.resize(bytes, 0);
        let with_layers = self.layers.get().is_none();
        let mut layers = vec![Layer::default(); if with_layers { self.meta.frames as usize } else { 0 }];
        let work =
            Mutex::new((0..self.meta.frames).zip(all.chunks_exact_mut(size)).zip(layer_slots(&mut layers)));
        let next = || work.lock().ok()?.next();
        let failed = Mutex::new(None);
        let decode = || {
            let (mut reading, mut pixels) = (Reading::default(), Vec::new());
            while let Some(((frame, place), layer)) = next() {
                let picture = self.picture(frame, format, &mut reading, &mut pixels);
                let read = picture.and_then(|()| {
                    place.copy_from_slice(&pixels);
                    layer.map_or(Ok(()), |layer| self.layer(frame, &mut reading, layer))
                });
                if let Err(error) = read {
                    if let Ok(mut failed) = failed.lock() {
                        failed.get_or_insert(error);
                    }
                    return;
                }
            }
        };
        std::thread::scope(|scope| {
            let cores = std::thread::available_parallelism().map_or(1, usize::from).min(8);
            for _ in 1..cores {
                // Where no thread can be had this one does it all.
                let _started = std::thread::Builder::new().spawn_scoped(scope, decode).is_ok();
            }
            decode();
        });
        drop(work);
        if let Some(error) = failed.into_inner().ok().flatten() {
            return Err(error);
        }
        if with_layers {
            let _first = self.layers.set(layers).is_ok();
        }
        let _first = held.set(all).is_ok();
        Ok(())
    }

    /// A frame that is held in this format.
    pub(crate) fn held(&self, frame: u32, format: PixelFormat) -> Option<&[u8]> {
        let size = self.picture_bytes(format);
        Some(&self.held[format as usize].get()?[frame as usize * size..][..size])
    }

    /// What is laid over a frame that is held.
    pub(crate) fn held_layer(&self, frame: u32) -> Option<&Layer> {
        self.layers.get()?.get(frame as usize)
    }
}

/// One slot for each frame, or none for any.
fn layer_slots(layers: &mut [Layer]) -> impl Iterator<Item = Option<&mut Layer>> {
    layers.iter_mut().map(Some).chain(std::iter::repeat_with(|| None))
}
