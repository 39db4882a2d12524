//! Begin, push, finish, interrupt and drop from three threads, in thousands of orders that a scheduler chooses.

use std::sync::atomic::{AtomicU64 as Plain, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

use crossbeam_channel::Receiver;
use shuttle::rand::{Rng as _, thread_rng};

use super::*;
use crate::session::sync::under_model;

/// What the threads know of each other; looking at it is no step of the model.
#[derive(Debug, Default)]
struct Witness {
    /// The largest number that some interruption was asked to cut.
    asked: Plain,
    /// The largest number that an interruption had cut when it returned.
    cut: Plain,
    /// Samples that were accepted, by utterance.
    accepted: Mutex<Vec<u64>>,
}

/// Speaks and goes away. Every sample carries the number of its utterance.
fn speak(mut mouthpiece: Mouthpiece, control: &Control, witness: &Witness) {
    for _ in 0..8 {
        let (cut, begun) = (witness.cut.load(SeqCst), control.begun());
        match thread_rng().gen_range(0..6) {
            0 => {
                if let Ok(utterance) = mouthpiece.begin() {
                    assert_eq!(utterance, begun + 1, "utterances are numbered in order");
                }
            }
            1 => match mouthpiece.finish() {
                Ok(()) => assert!(begun == 0 || begun > cut, "a cut utterance cannot be finished"),
                Err(error) => refused(&error, control, begun),
            },
            _ => {
                let utterance = mouthpiece.open.unwrap_or(begun + 1);
                let samples = vec![utterance as f32; thread_rng().gen_range(1..4)];
                match mouthpiece.push(&samples) {
                    Ok(()) => {
                        assert!(begun == 0 || begun > cut, "{begun} was cut before this push began");
                        assert_eq!(mouthpiece.open, Some(utterance));
                        let mut accepted = witness.accepted.lock().unwrap();
                        accepted.resize(utterance as usize + 1, 0);
                        accepted[utterance as usize] += samples.len() as u64;
                    }
                    Err(error) if error.kind() == ErrorKind::BufferFull => {}
                    Err(error) => refused(&error, control, begun),
                }
            }
        }
    }
}

fn refused(error: &Error, control: &Control, begun: u64) {
    assert_eq!(error.kind(), ErrorKind::Interrupted);
    assert!(control.is_cut(begun), "{begun} was refused and is not cut");
}

fn interrupt(control: &Control, witness: &Witness) {
    for _ in 0..3 {
        if thread_rng().gen_bool(0.5) {
            // It may cut what begins until it looks.
            witness.asked.store(u64::MAX, SeqCst);
            let cut = control.interrupt();
            witness.cut.fetch_max(cut.unwrap_or(0), SeqCst);
        } else {
            let through = thread_rng().gen_range(1..5);
            witness.asked.fetch_max(through, SeqCst);
            let begun = control.begun();
            control.interrupt_through(through);
            witness.cut.fetch_max(through.min(begun), SeqCst);
        }
    }
}

/// Listens as the worker does: sleeps until it is woken, then goes on until there is nothing to do.
fn listen(mut inbox: Inbox, awake: &Receiver<()>, control: &Control, witness: &Witness) -> u64 {
    let (mut open, mut ended, mut heard) = (None, 0, 0);
    loop {
        while awake.try_recv().is_err() {
            shuttle::thread::yield_now();
        }
        loop {
            let Some(utterance) = open else {
                match inbox.mark() {
                    Some(Mark::Begin(utterance)) => {
                        assert_eq!(utterance, ended + 1, "each begins once, after the one before it ended");
                        (open, heard) = (Some(utterance), 0);
                    }
                    Some(Mark::Finish(utterance)) => assert!(control.is_cut(utterance)),
                    None => {
                        let left = |part: &[f32]| assert!(part.iter().all(|&v| control.is_cut(v as u64)));
                        if inbox.read(u64::MAX, left) == 0 {
                            if inbox.is_exhausted() {
                                return ended;
                            }
                            break;
                        }
                    }
                }
                continue;
            };
            if control.is_cut(utterance) {
                assert!(utterance <= witness.asked.load(SeqCst), "{utterance} was cut and nobody asked");
                (open, ended) = (None, utterance);
                continue;
            }
            let own = |part: &[f32]| assert!(part.iter().all(|&v| v == utterance as f32), "{part:?}");
            let taken = inbox.read(thread_rng().gen_range(1..4), own);
            heard += taken;
            if taken == 0 {
                match inbox.mark() {
                    Some(Mark::Finish(finished)) => {
                        assert_eq!(finished, utterance);
                        let accepted = witness.accepted.lock().unwrap();
                        assert_eq!(heard, accepted.get(utterance as usize).copied().unwrap_or(0));
                        (open, ended) = (None, utterance);
                    }
                    Some(mark) => panic!("{mark:?} within utterance {utterance}"),
                    None => break,
                }
            }
        }
    }
}

fn model() {
    let (wake, awake) = crossbeam_channel::bounded(1);
    let control = Arc::new(Control::new(wake));
    let (mouthpiece, inbox) = inbox(6, Arc::clone(&control));
    let witness = Arc::new(Witness::default());
    let speaker = {
        let (control, witness) = (Arc::clone(&control), Arc::clone(&witness));
        shuttle::thread::spawn(move || speak(mouthpiece, &control, &witness))
    };
    let interrupter = {
        let (control, witness) = (Arc::clone(&control), Arc::clone(&witness));
        shuttle::thread::spawn(move || interrupt(&control, &witness))
    };
    let ended = listen(inbox, &awake, &control, &witness);
    speaker.join().unwrap();
    interrupter.join().unwrap();
    assert_eq!(
        ended,
        control.begun(),
        "every utterance that began has ended, also the one left open by a drop"
    );
}

#[test]
fn of_writer_interrupter_and_worker() {
    shuttle::check_random(|| under_model(model), 3_000);
}

#[test]
fn of_writer_interrupter_and_worker_with_rare_switches() {
    shuttle::check_pct(|| under_model(model), 2_000, 3);
}
