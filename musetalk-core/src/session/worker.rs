//! The only thread that talks to the device: an actor that listens, infers, and hands decoded patches over.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use crossbeam_channel::Receiver;

use super::batcher::{self, Candidate};
use crate::Result;
use crate::audio::window::WindowPlan;
use crate::networks::{AudioEncoder, Decoder, Generator};

mod cost;
mod session;

pub(crate) use cost::Cost;
pub(crate) use session::Session;

/// The actor: its state, and [`run`](Self::run).
#[derive(Debug)]
pub(crate) struct Worker {
    pub(crate) plan: Arc<WindowPlan>,
    pub(crate) encoder: AudioEncoder,
    pub(crate) generator: Generator,
    pub(crate) decoder: Decoder,
    /// Batch sizes that the device runs well, ascending, the first of them 1.
    pub(crate) buckets: Vec<usize>,
    pub(crate) sizes: Sizes,
    pub(crate) arrivals: Receiver<Session>,
    pub(crate) wake: Receiver<()>,
    pub(crate) stop: Arc<AtomicBool>,
    /// What a frame alone costs on this device, as far as is known.
    pub(crate) cost: Cost,
}

/// How many numbers one item of each tensor has.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sizes {
    pub(crate) mel: usize,
    pub(crate) context: usize,
    pub(crate) latent: usize,
    pub(crate) image: usize,
}

/// What goes into and comes out of the networks, made once for the largest batch.
#[derive(Debug)]
struct Buffers {
    mel: Vec<f32>,
    latents: Vec<f32>,
    contexts: Vec<f32>,
    predictions: Vec<f32>,
    images: Vec<u8>,
}

impl Worker {
    /// Runs every network on silence, so that the first frame does not pay for what is done only once; and a frame alone once
    /// more, to know what the next will cost.
    pub(crate) fn warm_up(&mut self) -> Result<()> {
        for &bucket in self.buckets.clone().iter().rev().chain(&[1]) {
            let started = Instant::now();
            self.rehearse(bucket)?;
            self.cost = Cost::new(started.elapsed());
        }
        Ok(())
    }

    /// One call for so many frames of silence.
    fn rehearse(&mut self, bucket: usize) -> Result<()> {
        let states = self.plan.positions * self.sizes.context / self.plan.tokens();
        self.encoder.run(&vec![0.0; self.sizes.mel], &mut vec![0.0; states])?;
        let mut prediction = vec![0.0; bucket * self.sizes.latent];
        let latents = vec![0.0; 2 * bucket * self.sizes.latent];
        self.generator.run(bucket, &latents, &vec![0.0; bucket * self.sizes.context], &mut prediction)?;
        self.decoder.run(bucket, &prediction, &mut vec![0; bucket * self.sizes.image])
    }

    /// Works until the engine stops it.
    pub(crate) fn run(mut self) {
        let largest = self.buckets.last().copied().unwrap_or(1);
        let mut buffers = Buffers {
            mel: vec![0.0; self.sizes.mel],
            latents: vec![0.0; largest * 2 * self.sizes.latent],
            contexts: vec![0.0; largest * self.sizes.context],
            predictions: vec![0.0; largest * self.sizes.latent],
            images: vec![0; largest * self.sizes.image],
        };
        let mut sessions: Vec<Session> = Vec::new();
        let mut candidates: Vec<Candidate> = Vec::new();
        let mut calls = 0;
        while !self.stop.load(Ordering::Acquire) {
            for mut session in self.arrivals.try_iter() {
                session.expect(self.cost);
                sessions.push(session);
            }
            sessions.retain(|session| !session.control.is_closed());
            candidates.clear();
            for (index, session) in sessions.iter_mut().enumerate() {
                if let Some(slack) = session.prepare(&self.plan) {
                    candidates.push(Candidate { session: index, slack, served: session.served });
                }
            }
            let count = batcher::choose(&mut candidates, &self.buckets);
            if count == 0 {
                if self.wake.recv().is_err() {
                    return;
                }
                continue;
            }
            calls += 1;
            let batch = &candidates[..count];
            let outcome = self.infer(&mut sessions, batch, &mut buffers);
            for (candidate, image) in batch.iter().zip(buffers.images.chunks_exact(self.sizes.image)) {
                let session = &mut sessions[candidate.session];
                session.served = calls;
                match &outcome {
                    Ok(()) => session.made(image),
                    Err(error) => session.fail(error),
                }
            }
        }
    }

    /// Sound and faces of a batch to patches, in `buffers.images`.
    fn infer(&mut self, sessions: &mut [Session], batch: &[Candidate], buffers: &mut Buffers) -> Result<()> {
        let (latent, context) = (2 * self.sizes.latent, self.sizes.context);
        for (item, candidate) in batch.iter().enumerate() {
            let session = &mut sessions[candidate.session];
            session.hear(&self.plan, &mut self.encoder, &mut buffers.mel)?;
            session.context(&self.plan, &mut buffers.contexts[item * context..][..context]);
            buffers.latents[item * latent..][..latent].copy_from_slice(session.latent());
        }
        let count = batch.len();
        let Buffers { latents, contexts, predictions, images, .. } = buffers;
        let predictions = &mut predictions[..count * self.sizes.latent];
        let started = Instant::now();
        self.generator.run(count, &latents[..count * latent], &contexts[..count * context], predictions)?;
        let generated = Instant::now();
        self.decoder.run(count, predictions, &mut images[..count * self.sizes.image])?;
        let decoded = generated.elapsed();
        for candidate in batch {
            let counters = &sessions[candidate.session].control.counters;
            counters.generate.add(generated - started);
            counters.decode.add(decoded);
        }
        Ok(())
    }
}
