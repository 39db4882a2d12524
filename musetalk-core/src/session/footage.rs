//! Base frames for the pictures of one avatar: copied where the footage is held decoded, else decoded ahead on a thread of its
//! own, straight into the pictures that the host will be lent.
//!
//! Decoding ahead uses pictures that the host does not hold at the moment, at most [`AHEAD`] of them, so that it takes no memory
//! beside theirs but the masks. A position that nobody expected (the first one, after a jump, or while the host holds all his pictures) is
//! decoded while the reader waits for it; nothing here waits for a device.

use std::collections::VecDeque;
use std::sync::Arc;

use crossbeam_channel::{Receiver, Sender, bounded};

use crate::asset::{AvatarAsset, Layer, Reading};
use crate::frame::{FrameBuffer, PixelFormat};
use crate::pool::{Lent, Pool};
use crate::{Error, ErrorKind, Result};

/// Base frames that are decoded ahead.
const AHEAD: usize = 2;

/// A picture that holds a base frame, and what is laid over it.
#[derive(Debug)]
pub(crate) struct Base {
    pub(crate) picture: Lent<FrameBuffer>,
    /// `None` where the asset holds it.
    layer: Option<Layer>,
    frame: u32,
}

impl Base {
    /// What is laid over it, with the picture itself.
    pub(crate) fn parts<'b>(
        &'b mut self,
        asset: &'b AvatarAsset,
    ) -> Option<(&'b mut FrameBuffer, &'b Layer)> {
        let layer = self.layer.as_ref().or_else(|| asset.held_layer(self.frame))?;
        Some((&mut self.picture, layer))
    }
}

/// Where a reader takes base frames from.
#[derive(Debug)]
pub(crate) struct Footage {
    asset: Arc<AvatarAsset>,
    format: PixelFormat,
    pictures: Pool<FrameBuffer>,
    ahead: Option<Ahead>,
}

/// What a thread decodes ahead.
#[derive(Debug)]
struct Ahead {
    jobs: Sender<Job>,
    done: Receiver<Job>,
    /// Frames under way, in order.
    under_way: VecDeque<u32>,
    /// Frames that were decoded and not yet taken.
    ready: VecDeque<Job>,
    layers: Vec<Layer>,
}

#[derive(Debug)]
struct Job {
    base: Base,
    failed: Option<Error>,
}

impl Footage {
    /// Holds the footage if that takes at most `limit` bytes; else starts a thread that decodes ahead.
    pub(crate) fn new(
        asset: Arc<AvatarAsset>,
        format: PixelFormat,
        limit: u64,
        pictures: Pool<FrameBuffer>,
    ) -> Result<Self> {
        let held = asset.held_bytes(format) <= limit;
        let ahead = if held {
            // It takes a while: now, and not while somebody waits for a picture.
            asset.hold(format)?;
            None
        } else {
            Some(Ahead::start(Arc::clone(&asset), format)?)
        };
        Ok(Self { asset, format, pictures, ahead })
    }

    pub(crate) fn asset(&self) -> &Arc<AvatarAsset> {
        &self.asset
    }

    /// Whether a picture can be drawn now: the host holds fewer than he may, which is one less than there are. That one is for decoding ahead
    /// while he holds all of his.
    pub(crate) fn has_room(&self) -> bool {
        let ahead = self.ahead.as_ref().map_or(0, |ahead| ahead.under_way.len() + ahead.ready.len());
        self.pictures.available() + ahead > 1
    }

    /// The base frame at a position. Waits for its decoding if that was not done ahead.
    pub(crate) fn take(&mut self, position: u32) -> Result<Base> {
        let frame = self.asset.frame_at(position);
        let mut base = match &mut self.ahead {
            Some(ahead) => ahead.take(frame, &self.pictures)?,
            None => {
                let mut picture = self.pictures.lend().ok_or_else(all_lent)?;
                let pixels = self.asset.held(frame, self.format).unwrap_or_default();
                picture.pixels.clear();
                picture.pixels.extend_from_slice(pixels);
                Base { picture, layer: None, frame }
            }
        };
        base.picture.cycle_index = position;
        base.picture.clip = self.asset.clip_of(position) as u32;
        Ok(base)
    }

    /// The picture, once it is drawn; its frame is followed by those after `position`.
    pub(crate) fn drawn(&mut self, base: Base, position: u32) -> Lent<FrameBuffer> {
        let Base { picture, layer, .. } = base;
        if let (Some(ahead), Some(layer)) = (&mut self.ahead, layer) {
            ahead.layers.push(layer);
            let cycle = self.asset.cycle_of(position);
            let next = std::array::from_fn(|step| cycle.frame_at(cycle.advance(position, step as u64 + 1)));
            ahead.plan(next, &self.pictures);
        }
        picture
    }
}

impl Ahead {
    fn start(asset: Arc<AvatarAsset>, format: PixelFormat) -> Result<Self> {
        // One more than can be under way: nobody ever waits to hand one over.
        let (jobs, to_do) = bounded::<Job>(AHEAD + 1);
        let (finished, done) = bounded(AHEAD + 1);
        let work = move || {
            let mut reading = Reading::default();
            for mut job in to_do {
                job.failed = read(&asset, format, &mut reading, &mut job.base).err();
                if finished.send(job).is_err() {
                    return;
                }
            }
        };
        std::thread::Builder::new().name("musetalk-footage".to_owned()).spawn(work).map_err(|e| {
            Error::new(ErrorKind::OutOfMemory, "the thread that decodes footage could not be started")
                .caused_by(e)
        })?;
        Ok(Self {
            jobs,
            done,
            under_way: VecDeque::with_capacity(AHEAD + 1),
            ready: VecDeque::with_capacity(AHEAD + 1),
            layers: (0..=AHEAD + 1).map(|_| Layer::default()).collect(),
        })
    }

    fn take(&mut self, frame: u32, pictures: &Pool<FrameBuffer>) -> Result<Base> {
        self.collect();
        if !self.ready.iter().any(|job| job.base.frame == frame) {
            if !self.under_way.contains(&frame) {
                let picture = match pictures.lend() {
                    Some(picture) => picture,
                    None => self.spare().ok_or_else(all_lent)?,
                };
                self.order(frame, picture)?;
            }
            while self.under_way.contains(&frame) {
                self.wait()?;
            }
        }
        let at = self.ready.iter().position(|job| job.base.frame == frame);
        let job = at.and_then(|at| self.ready.remove(at)).ok_or_else(gone)?;
        match job.failed {
            None => Ok(job.base),
            Some(error) => {
                self.layers.extend(job.base.layer);
                Err(error)
            }
        }
    }

    /// Orders what is not on its way yet, with the pictures that are free, and gives up what is not needed.
    fn plan(&mut self, next: [u32; AHEAD], pictures: &Pool<FrameBuffer>) {
        self.collect();
        while let Some(at) = self.ready.iter().position(|job| !next.contains(&job.base.frame)) {
            let job = self.ready.remove(at);
            self.layers.extend(job.and_then(|job| job.base.layer));
        }
        for (at, frame) in next.into_iter().enumerate() {
            // A frame stands twice where the footage turns.
            let wanted = next[..=at].iter().filter(|&&other| other == frame).count();
            let there = self.under_way.iter().filter(|&&other| other == frame).count()
                + self.ready.iter().filter(|job| job.base.frame == frame).count();
            if there >= wanted || self.under_way.len() + self.ready.len() >= AHEAD {
                continue;
            }
            let Some(picture) = pictures.lend() else { return };
            if self.order(frame, picture).is_err() {
                return;
            }
        }
    }

    fn order(&mut self, frame: u32, picture: Lent<FrameBuffer>) -> Result<()> {
        let layer = self.layers.pop().unwrap_or_default();
        let job = Job { base: Base { picture, layer: Some(layer), frame }, failed: None };
        self.jobs.try_send(job).map_err(|_full_or_gone| gone())?;
        self.under_way.push_back(frame);
        Ok(())
    }

    /// A picture that was decoded in vain.
    fn spare(&mut self) -> Option<Lent<FrameBuffer>> {
        if self.ready.is_empty() && !self.under_way.is_empty() {
            self.wait().ok()?;
        }
        let Base { picture, layer, .. } = self.ready.pop_front()?.base;
        self.layers.extend(layer);
        Some(picture)
    }

    fn collect(&mut self) {
        while let Ok(job) = self.done.try_recv() {
            self.under_way.pop_front();
            self.ready.push_back(job);
        }
    }

    fn wait(&mut self) -> Result<()> {
        let job = self.done.recv().map_err(|e| gone().caused_by(e))?;
        self.under_way.pop_front();
        self.ready.push_back(job);
        Ok(())
    }
}

fn read(asset: &AvatarAsset, format: PixelFormat, reading: &mut Reading, base: &mut Base) -> Result<()> {
    asset.picture(base.frame, format, reading, &mut base.picture.pixels)?;
    match &mut base.layer {
        Some(layer) => asset.layer(base.frame, reading, layer),
        None => Ok(()),
    }
}

pub(crate) fn all_lent() -> Error {
    Error::new(
        ErrorKind::BufferFull,
        "every frame of this avatar is lent out; drop some, or open it with more frames_lent",
    )
}

fn gone() -> Error {
    Error::new(ErrorKind::Internal, "the thread that decodes footage has gone")
}
