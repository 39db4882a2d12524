//! From the first speech to the first frame, counted from the moment at which enough was pushed for it.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use musetalk_core::{Error, ErrorKind, FrameReader, PcmWriter, Result};

use super::row::Row;
use super::watch::sleep_until;
use super::{Bench, millis, quantile};
use crate::cancel;

/// Utterances in a full measurement.
const TURNS: usize = 20;

/// The speech that somebody who begins to speak has said by then.
const SPEECH: Duration = Duration::from_millis(200);

/// A frame of an utterance, or its end.
enum Seen {
    First { at: Instant, speaking: bool },
    End,
}

pub(super) fn measure(bench: &Bench) -> Result<Row> {
    let (rate, engine) = (bench.voice.rate, &bench.engine);
    let most = engine.look_ahead(rate)?;
    let fps = engine.pack().fps();
    // The stated look-ahead is that of the largest group; the first frame waits for the rest of its own group only.
    let groups = &engine.pack().manifest().audio.groups;
    let (first, largest) = (groups.first().copied().unwrap_or(1), groups.iter().copied().max().unwrap_or(1));
    let own = most.saturating_sub(fps.time_of(u64::from(largest - first.min(largest))));
    let enough = SPEECH.max(fps.period() + own);

    let turns = (bench.seconds as usize / 3).clamp(2, TURNS);
    let starts = bench.voice.loud(enough.as_secs_f64(), turns);
    let (mut writer, mut reader) = bench.open()?.split();
    let (tell, told) = sync_channel(8);
    let (mut waits, mut since_push) = (Vec::new(), Vec::new());
    std::thread::scope(|scope| {
        let recorder = scope.spawn(move || look(&mut reader, &tell));
        let spoken = speak_all(bench, &mut writer, &told, (&starts, enough), &mut waits, &mut since_push);
        drop(writer);
        drop(told);
        let recorded =
            recorder.join().unwrap_or_else(|_| Err(Error::new(ErrorKind::Internal, "the recorder panicked")));
        recorded.and(spoken)
    })?;
    let count = waits.len();
    let (p50, worst) = (quantile(&mut waits, 0.5), quantile(&mut waits, 1.0));
    let total = quantile(&mut since_push, 0.5);
    let name = "first frame after its look-ahead is in";
    Ok(Row::new("first", name, format!("{p50:.0} ms, worst {worst:.0} ms"))
        .aim("<= 150 ms", (count > 0).then_some(worst <= 150.0))
        .note(format!(
            "look-ahead {:.0} ms beyond the first frame's end, {:.0} ms at most later; counted from {:.0} ms of speech on",
            millis(own),
            millis(most),
            millis(enough)
        ))
        .note(format!("{count} utterances; {total:.0} ms from the first push, pushed at real time"))
        .value("p50_ms", p50)
        .value("worst_ms", worst)
        .value("since_first_push_p50_ms", total)
        .value("look_ahead_ms", millis(own))
        .value("look_ahead_most_ms", millis(most)))
}

fn speak_all(
    bench: &Bench,
    writer: &mut PcmWriter,
    told: &Receiver<Seen>,
    (starts, enough): (&[f64], Duration),
    waits: &mut Vec<f64>,
    since_push: &mut Vec<f64>,
) -> Result<()> {
    for start in starts {
        cancel::check()?;
        let speech = bench.voice.take(*start, enough.as_secs_f64());
        writer.begin()?;
        let began = Instant::now();
        for (chunk, samples) in (0..).zip(speech.chunks((bench.voice.rate / 50) as usize)) {
            sleep_until(began + Duration::from_millis(20 * chunk));
            writer.push(samples)?;
        }
        let pushed = Instant::now();
        // Before the end is known, the frame can only come from what was pushed.
        std::thread::sleep(Duration::from_millis(300));
        writer.finish()?;
        while let Ok(Seen::First { at, speaking }) = told.recv() {
            // A frame of silence needs no network: it would flatter.
            if speaking {
                waits.push(millis(at.saturating_duration_since(pushed)));
                since_push.push(millis(at - began));
            }
        }
    }
    Ok(())
}

fn look(reader: &mut FrameReader, tell: &SyncSender<Seen>) -> Result<()> {
    loop {
        let seen = match reader.next_frame() {
            Ok(Some(frame)) if frame.utterance_frame() > 0 => continue,
            Ok(Some(frame)) => Seen::First { at: Instant::now(), speaking: frame.region().width > 0 },
            Ok(None) => Seen::End,
            Err(e) if e.kind() == ErrorKind::Closed => return Ok(()),
            Err(e) => return Err(e),
        };
        if tell.send(seen).is_err() {
            return Ok(());
        }
    }
}
