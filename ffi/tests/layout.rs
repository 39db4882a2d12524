//! Every struct has the size and the offsets in C that it has in Rust, and no padding.

#![allow(clippy::unwrap_used, reason = "a test fails by unwrapping")]

mod support;

use std::fmt::Write as _;
use std::mem::offset_of;
use std::process::Command;

use musetalk::*;

macro_rules! fields {
    ($($type:ident { $($field:ident),* $(,)? })*) => {
        vec![$((stringify!($type), size_of::<$type>(), vec![$((stringify!($field), offset_of!($type, $field))),*])),*]
    };
}

#[test]
fn structs_are_the_same_in_c_and_in_rust() {
    let structs = fields! {
        musetalk_error { status, message }
        musetalk_heard { utterance, samples }
        musetalk_region { x, y, width, height }
        musetalk_engine_options { struct_size, pack_path, runtime_path, device, device_ordinal, threads, spinning, max_batch, reserved }
        musetalk_engine_description {
            struct_size, pack_name, runtime_path, runtime_version, device, device_ordinal, fps_numerator, fps_denominator
        }
        musetalk_avatar_options { struct_size, sample_rate, format, frames_ahead, frames_lent, buffer_seconds, preload_limit_mib }
        musetalk_avatar_description {
            struct_size, look_ahead_nanos, width, height, format, sample_rate, fps_numerator, fps_denominator, footage_frames,
            cycle_length, clip_count, has_alpha
        }
        musetalk_clip { struct_size, name, cycle_first, cycle_length }
        musetalk_stats {
            struct_size, made, still, shown, skipped, late, under_runs, latency_p50_nanos, latency_p99_nanos, listen_nanos,
            hear_nanos, generate_nanos, decode_nanos, compose_nanos
        }
        musetalk_frame {
            struct_size, pixels, samples, sample_count, width, height, stride, format, index, utterance, utterance_frame, pts_nanos,
            region, cycle_index, clip, owner
        }
        musetalk_conversation_options {
            struct_size, avatar, provider, key, model, voice, instructions, tools_json, transcription_model, transcription_language,
            turn_detection, without_audio
        }
        musetalk_conversation_description {
            struct_size, input_rate, output_rate, posture, reserved, dropped_samples, responses, text_in, audio_in, image_in,
            cached_in, text_out, audio_out
        }
        musetalk_log_line { struct_size, level, lost, target, message }
        musetalk_event {
            struct_size, kind, status, value, reserved, answer, utterance, samples, sample_count, text, id, name, label, owner
        }
    };
    let header = std::fs::read_to_string(support::include().join("musetalk.h")).unwrap();
    let declared = header.matches("\ntypedef struct musetalk_").count();
    let opaque =
        header.lines().filter(|line| line.starts_with("typedef struct") && line.ends_with(';')).count();
    assert_eq!(declared - opaque, structs.len(), "a struct of the header is not in this list");
    let mut program = "#include <musetalk.h>\n#define SAME(a, b) _Static_assert((a) == (b), #a)\n".to_owned();
    for (name, size, fields) in &structs {
        writeln!(program, "SAME(sizeof({name}), {size});").unwrap();
        for (at, (field, offset)) in fields.iter().enumerate() {
            // A field that ends where the next begins leaves no padding.
            let next = fields.get(at + 1).map_or(*size, |(_, next)| *next);
            writeln!(program, "SAME(offsetof({name}, {field}), {offset});").unwrap();
            writeln!(program, "SAME(sizeof((({name} *)0)->{field}), {});", next - offset).unwrap();
        }
    }
    let Some(cc) = support::cc() else { return };
    let folder = support::scratch("layout");
    std::fs::write(folder.join("layout.c"), program).unwrap();
    let mut command = Command::new(cc);
    command.args(["-std=c11", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", "-I"]).arg(support::include());
    support::succeeds(command.arg(folder.join("layout.c")));
}
