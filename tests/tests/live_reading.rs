//! What a live reader shows: speech while it is heard, the footage otherwise, and never a picture that has frozen.

#![allow(clippy::unwrap_used, reason = "a test fails by unwrapping")]

use std::time::{Duration, Instant};

use musetalk_core::{Avatar, AvatarOptions, Frame, Heard, UtteranceId};
use musetalk_tests::{babble, engine, person};

fn open() -> Avatar {
    engine().start_avatar(person(engine()), AvatarOptions::default()).unwrap()
}

fn id(number: u64) -> UtteranceId {
    UtteranceId::new(number).unwrap()
}

fn millis(count: u64) -> Duration {
    Duration::from_millis(count)
}

/// Polls as a renderer would, for this long.
fn watch(
    avatar: &mut Avatar,
    time: Duration,
    mut heard: impl FnMut() -> Option<Heard>,
    mut see: impl FnMut(&Frame),
) {
    let started = Instant::now();
    while started.elapsed() < time {
        if let Some(frame) = avatar.latest_at(heard()).unwrap() {
            see(&frame);
        }
        std::thread::sleep(millis(4));
    }
}

/// Positions of the footage and speech frames seen in this time.
fn seen(
    avatar: &mut Avatar,
    time: Duration,
    heard: impl FnMut() -> Option<Heard>,
) -> (Vec<u32>, Vec<(u64, u64)>) {
    let (mut positions, mut spoken) = (Vec::new(), Vec::new());
    watch(avatar, time, heard, |frame| {
        if positions.last() != Some(&frame.cycle_index()) {
            positions.push(frame.cycle_index());
        }
        spoken.extend(frame.utterance().map(|utterance| (utterance.get(), frame.utterance_frame())));
    });
    (positions, spoken)
}

/// Waits, as a host does, until the sound may start; the footage goes on meanwhile.
fn wait_until_ready(avatar: &mut Avatar) -> Heard {
    let started = Instant::now();
    loop {
        if let Some(ready) = avatar.ready().unwrap() {
            return ready;
        }
        avatar.latest_at(None).unwrap();
        assert!(started.elapsed() < Duration::from_secs(10), "it never became ready");
        std::thread::sleep(millis(2));
    }
}

fn playing(utterance: u64, since: Instant) -> Heard {
    Heard { utterance: id(utterance), samples: since.elapsed().as_millis() as u64 * 24 }
}

#[test]
fn nothing_unknown_cut_or_fully_heard_is_idle() {
    let mut avatar = open();
    let (positions, spoken) = seen(&mut avatar, millis(500), || None);
    assert!(positions.len() >= 3 && spoken.is_empty(), "the footage plays: {positions:?}");
    // A number that was never given, also one that a later utterance may have, changes nothing.
    for unknown in [1, 7, u64::MAX] {
        let heard = Some(Heard { utterance: id(unknown), samples: u64::MAX });
        let (positions, spoken) = seen(&mut avatar, millis(200), || heard);
        assert!(positions.len() >= 3 && spoken.is_empty(), "{unknown}: {positions:?}");
    }
    avatar.push(&babble(0.5, 24_000, 1)).unwrap();
    avatar.finish().unwrap();
    let ready = wait_until_ready(&mut avatar);
    assert_eq!(ready.utterance, id(1));
    let unknown = Some(Heard { utterance: id(9), samples: 0 });
    assert!(seen(&mut avatar, millis(150), || unknown).1.is_empty());
    assert_eq!(
        avatar.ready().unwrap().map(|ready| ready.utterance),
        Some(id(1)),
        "it still waits to be heard"
    );
    let since = Instant::now();
    let (_, spoken) = seen(&mut avatar, millis(450), || Some(playing(1, since)));
    assert!(spoken.len() >= 3, "{spoken:?}");
    let over = Some(Heard { utterance: id(1), samples: 12_000 });
    let (positions, spoken) = seen(&mut avatar, millis(500), || over);
    assert!(spoken.is_empty() && positions.len() >= 3, "fully heard: {positions:?}");
    assert_eq!(avatar.ready().unwrap(), None);
}

#[test]
fn ready_needs_three_frames_or_the_end() {
    let mut avatar = open();
    assert_eq!(avatar.ready().unwrap(), None);
    avatar.push(&babble(0.15, 24_000, 2)).unwrap();
    // 150 ms minus the look-ahead are fewer than three frames; without an end nothing may start.
    let started = Instant::now();
    while started.elapsed() < millis(300) {
        if let Some(ready) = avatar.ready().unwrap() {
            assert!(ready.samples >= 3 * 960, "{ready:?}");
        }
        std::thread::sleep(millis(5));
    }
    avatar.finish().unwrap();
    let started = Instant::now();
    while wait_until_ready(&mut avatar).samples < 3_600 {
        assert!(started.elapsed() < millis(5_000), "the last frame never came");
    }
    // Two frames are all there is: then two are enough.
    let mut avatar = open();
    avatar.push(&babble(0.08, 24_000, 2)).unwrap();
    avatar.finish().unwrap();
    assert_eq!(wait_until_ready(&mut avatar), Heard { utterance: id(1), samples: 1_920 });
}

#[test]
fn a_sound_that_stands_still_closes_the_mouth_until_it_moves() {
    let mut avatar = open();
    avatar.push(&babble(2.0, 24_000, 3)).unwrap();
    avatar.finish().unwrap();
    wait_until_ready(&mut avatar);
    let since = Instant::now();
    let (_, spoken) = seen(&mut avatar, millis(600), || Some(playing(1, since)));
    let last = spoken.last().unwrap().1;
    assert!(spoken.len() >= 3, "{spoken:?}");
    let still = Some(playing(1, since));
    let started = Instant::now();
    let mut closed = None;
    watch(
        &mut avatar,
        millis(1_000),
        || still,
        |frame| {
            if frame.utterance().is_some() {
                assert!(started.elapsed() < millis(250), "speech goes on in a pause");
            } else if frame.region().width == 0 {
                closed.get_or_insert(started.elapsed());
            }
        },
    );
    let closed = closed.expect("the mouth closes in a pause");
    assert!(closed >= millis(120) && closed < millis(1_000), "{closed:?}");
    let paused = started.elapsed();
    let (_, spoken) = seen(&mut avatar, millis(600), || Some(playing(1, since + paused)));
    assert!(spoken.len() >= 3 && spoken[0].1 >= last, "it comes back where it was: {last} {spoken:?}");
}

#[test]
fn a_starved_utterance_fades_and_comes_back() {
    let mut avatar = open();
    let speech = babble(2.0, 24_000, 4);
    avatar.push(&speech[..16_800]).unwrap();
    wait_until_ready(&mut avatar);
    // The host plays on, as if silence had come: 700 ms were pushed, 1 400 ms are claimed to be heard.
    let since = Instant::now();
    let (mut speech_end, mut idle) = (millis(0), 0);
    watch(
        &mut avatar,
        millis(1_400),
        || Some(playing(1, since)),
        |frame| {
            if frame.utterance().is_some() {
                speech_end = since.elapsed();
            } else {
                idle += 1;
            }
        },
    );
    assert!(speech_end > millis(300) && speech_end < millis(1_100), "{speech_end:?}");
    assert!(idle >= 1, "{idle} idle pictures");
    avatar.push(&speech[16_800..]).unwrap();
    avatar.finish().unwrap();
    let (_, spoken) = seen(&mut avatar, millis(500), || Some(playing(1, since)));
    assert!(spoken.len() >= 3 && spoken[0].1 >= 17, "{spoken:?}");
}

#[test]
fn utterances_queue_and_follow_each_other() {
    let mut avatar = open();
    for seed in 0..3 {
        avatar.push(&babble(0.4, 24_000, 20 + seed)).unwrap();
        avatar.finish().unwrap();
    }
    for number in 1..=3 {
        assert_eq!(wait_until_ready(&mut avatar).utterance, id(number));
        let since = Instant::now();
        let (_, spoken) = seen(&mut avatar, millis(380), || Some(playing(number, since)));
        assert!(spoken.len() >= 3 && spoken.iter().all(|(utterance, _)| *utterance == number), "{spoken:?}");
        let over = Some(Heard { utterance: id(number), samples: 9_600 });
        avatar.latest_at(over).unwrap();
    }
    let (positions, spoken) = seen(&mut avatar, millis(300), || None);
    assert!(positions.len() >= 3 && spoken.is_empty(), "{positions:?}");
}

#[test]
fn a_host_that_stops_naming_an_utterance_has_heard_it() {
    let mut avatar = open();
    for seed in 0..2 {
        avatar.push(&babble(0.4, 24_000, 30 + seed)).unwrap();
        avatar.finish().unwrap();
    }
    wait_until_ready(&mut avatar);
    let since = Instant::now();
    seen(&mut avatar, millis(395), || Some(playing(1, since)));
    seen(&mut avatar, millis(50), || None);
    assert_eq!(wait_until_ready(&mut avatar).utterance, id(2), "the first one is over");
    // And one whose position stops a few samples short of its end.
    let since = Instant::now();
    seen(&mut avatar, millis(390), || Some(playing(2, since)));
    let short = Some(Heard { utterance: id(2), samples: 9_599 });
    let (positions, spoken) = seen(&mut avatar, millis(700), || short);
    assert!(spoken.len() <= 2 && positions.len() >= 3, "the footage goes on: {positions:?}");
}

#[test]
fn a_listener_who_skips_ahead_is_not_kept_waiting() {
    let mut avatar = open();
    avatar.push(&babble(20.0, 24_000, 40)).unwrap();
    avatar.finish().unwrap();
    avatar.push(&babble(0.6, 24_000, 41)).unwrap();
    avatar.finish().unwrap();
    wait_until_ready(&mut avatar);
    let since = Instant::now();
    seen(&mut avatar, millis(200), || Some(playing(1, since)));
    // The rest of the first is dropped without a word.
    let mut second = None;
    let started = Instant::now();
    watch(
        &mut avatar,
        millis(3_000),
        || Some(Heard { utterance: id(2), samples: started.elapsed().as_millis() as u64 / 10 * 24 }),
        |frame| {
            if frame.utterance() == Some(id(2)) {
                second.get_or_insert(started.elapsed());
            }
            assert_ne!(frame.utterance(), Some(id(1)), "it was left");
        },
    );
    assert!(second.is_some(), "the second utterance never came");
}

#[test]
fn an_utterance_that_nobody_plays_waits_at_its_start_and_a_cut_sets_the_footage_free() {
    let mut avatar = open();
    let interrupter = avatar.interrupter();
    seen(&mut avatar, millis(300), || None);
    avatar.push(&babble(3.0, 24_000, 50)).unwrap();
    avatar.finish().unwrap();
    wait_until_ready(&mut avatar);
    seen(&mut avatar, millis(200), || None);
    let (positions, spoken) = seen(&mut avatar, millis(400), || None);
    assert!(positions.len() <= 1 && spoken.is_empty(), "it waits where the utterance starts: {positions:?}");
    assert_eq!(interrupter.interrupt(), Some(id(1)));
    let (positions, spoken) = seen(&mut avatar, millis(500), || None);
    assert!(positions.len() >= 3 && spoken.is_empty(), "the footage goes on: {positions:?}");
}

#[test]
fn many_empty_and_short_utterances_block_nothing() {
    let mut avatar = open();
    for round in 0..400 {
        loop {
            match avatar.begin() {
                Ok(_) => break,
                // The worker is a moment behind; a live host polls on.
                Err(_) => drop(avatar.latest_at(None).unwrap()),
            }
        }
        if round % 50 == 49 {
            avatar.push(&[0.1]).unwrap();
        }
        avatar.finish().unwrap();
        avatar.latest_at(None).unwrap();
    }
    // Each of the eight that hold a sample waits to be heard; a cut frees the footage of all of them.
    assert_eq!(wait_until_ready(&mut avatar).utterance, id(50));
    avatar.interrupter().interrupt();
    let (positions, _) = seen(&mut avatar, millis(400), || None);
    assert!(positions.len() >= 3, "{positions:?}");
    avatar.begin().unwrap();
    avatar.push(&babble(0.4, 24_000, 60)).unwrap();
    avatar.finish().unwrap();
    assert_eq!(wait_until_ready(&mut avatar).utterance, id(401));
}

#[test]
fn a_recording_reader_is_told_of_every_empty_utterance() {
    let mut avatar = open();
    let speech = babble(0.5, 24_000, 70);
    let mut cycles = Vec::new();
    for _ in 0..20 {
        avatar.push(&speech).unwrap();
        for _ in 0..3 {
            avatar.begin().unwrap();
        }
        avatar.finish().unwrap();
        while let Some(frame) = avatar.next_frame().unwrap() {
            cycles.push(frame.cycle_index());
        }
        for _ in 0..3 {
            assert!(avatar.next_frame().unwrap().is_none());
        }
    }
    assert_eq!(cycles.len(), 20 * 13);
    let expected: Vec<u32> = (0..20 * 13).map(|index| index % 20).collect();
    assert_eq!(cycles, expected, "empty utterances do not move the footage");
}

#[test]
fn empty_utterances_between_two_recorded_ones_leave_no_gap_in_the_footage() {
    let mut avatar = open();
    for _ in 0..2 {
        avatar.push(&babble(0.3, 24_000, 71)).unwrap();
        avatar.begin().unwrap();
        avatar.finish().unwrap();
    }
    let mut cycles = Vec::new();
    for _ in 0..4 {
        while let Some(frame) = avatar.next_frame().unwrap() {
            cycles.push(frame.cycle_index());
        }
    }
    assert_eq!(cycles, (0..16).collect::<Vec<u32>>());
}

#[test]
fn an_end_that_becomes_known_after_the_sound_stood_still_lets_the_next_utterance_start() {
    let mut avatar = open();
    let speech = babble(0.6, 24_000, 72);
    avatar.push(&speech).unwrap();
    let ready = wait_until_ready(&mut avatar);
    // Everything pushed was heard, and stands there; only then does the writer say that this was all.
    let whole = Heard { samples: speech.len() as u64, ..ready };
    watch(&mut avatar, millis(250), || Some(whole), |_| {});
    avatar.finish().unwrap();
    avatar.push(&speech).unwrap();
    avatar.finish().unwrap();
    let started = Instant::now();
    loop {
        avatar.latest_at(Some(whole)).unwrap();
        if avatar.ready().unwrap().is_some_and(|next| next.utterance > whole.utterance) {
            break;
        }
        assert!(started.elapsed() < Duration::from_secs(10), "the second utterance never became ready");
        std::thread::sleep(millis(4));
    }
}
