//! The second reading: latents, masks and closed mouths of the frames that are used, and the contact sheet.

use std::ops::ControlFlow;
use std::path::Path;

use super::clips::{ClipFootage, FIRST_CLIP};
use super::closed::ClosedMouth;
use super::look::{Count, Look};
use super::plan::Plan;
use super::source::{self, FrameSource, SourceFrame};
use super::{Analysis, PrepareStep, Preparer, Preparing};
use crate::Result;
use crate::asset::{AvatarHeader, AvatarWriter, FaceBox, PreparedFrame};
use crate::compose::filter::{Filter, pillow_resize};
use crate::networks::{FaceParser, Landmarks};
use crate::prepare::{
    Observation, Picture, Screen, Sheet, Shown, append_latent, chosen, classes_of, mask_of,
};

/// Writes the avatar, and draws the sheet of every clip on the way.
pub(super) fn write(
    analysis: &mut Analysis,
    clips: &mut [ClipFootage<'_>],
    path: &Path,
    progress: &mut dyn FnMut(Preparing) -> ControlFlow<()>,
) -> Result<Vec<Vec<u8>>> {
    let Analysis { preparer, looks } = analysis;
    let closed = looks.iter().any(|look| look.report.closed_mouths);
    let mut closed = if closed { Some(ClosedMouth::load(&preparer.loader)?) } else { None };
    let size = clips.first().map_or((0, 0), |clip| (clip.source.width(), clip.source.height()));
    let name = preparer.options.name.clone();
    let mut header = AvatarHeader::new(name, size.0, size.1, preparer.loader.pack.fps());
    header.alpha = clips.iter().any(|clip| clip.source.has_alpha()) || preparer.options.key.is_some();
    header.closed = closed.is_some();
    let alpha = header.alpha;
    let mut writer = AvatarWriter::create(path, &preparer.loader.pack, header)?;
    let image = preparer.loader.pack.manifest().image;
    let (mut latent, mut sheets) = (Vec::new(), Vec::new());
    let opaque = vec![255; if alpha { size.0 as usize * size.1 as usize } else { 0 }];
    let totals = looks.iter().map(|look| Some(busy(&look.plan).count() as u64)).collect();
    let mut count = Count::new(PrepareStep::Writing, totals);
    for (clip, look) in clips.iter_mut().zip(looks) {
        writer.begin_clip(&look.name)?;
        let Look { plan, seen, work, .. } = look;
        let sheet = read(preparer, (&*plan, &seen[..]), clip.source, |preparer, frame, taken| {
            let Some((place, mask)) = taken else { return count.frame(false, progress) };
            let face = plan.faces[place];
            latent.clear();
            // What the encoder sees is what the screen will show.
            let shown = writer.shown_with_digest(&frame.rgb)?;
            let kept = work.as_mut().and_then(|work| work.latent(place, &face, shown.1));
            let recalled = kept.is_some();
            match kept {
                Some(kept) => latent.extend_from_slice(&kept),
                None => {
                    append_latent(&mut preparer.encoder, image, shown.0, size, &face, &mut latent)?;
                    if let Some(work) = work.as_mut() {
                        work.keep_latent(place, &face, shown.1, &latent)?;
                    }
                }
            }
            let closed = match &mut closed {
                Some(closed) => Some(closed.patch(&latent)?),
                None => None,
            };
            // Where only some clips have a matte, the others are opaque.
            let matte = if frame.alpha.is_empty() { &opaque[..] } else { &frame.alpha[..] };
            writer.frame(&PreparedFrame {
                rgb: &frame.rgb,
                alpha: alpha.then_some(matte),
                face_box: face,
                mask,
                latent: &latent,
                closed,
            })?;
            count.frame(recalled, progress)
        })?;
        count.clip_ends();
        sheets.push(finish(preparer, look, &sheet)?);
    }
    writer.finish()?;
    Ok(sheets)
}

/// Draws the sheet alone.
pub(super) fn draw(
    preparer: &mut Preparer,
    look: &Look,
    source: &mut dyn FrameSource,
    progress: &mut dyn FnMut(Preparing) -> ControlFlow<()>,
) -> Result<Vec<u8>> {
    let mut count = Count::new(PrepareStep::Writing, vec![Some(busy(&look.plan).count() as u64)]);
    let seen = &look.seen[..];
    let sheet = read(preparer, (&look.plan, seen), source, |_, _, _| count.frame(false, progress))?;
    finish(preparer, look, &sheet)
}

fn finish(preparer: &Preparer, look: &Look, sheet: &Sheet) -> Result<Vec<u8>> {
    let (plan, report) = (&look.plan, &look.report);
    let whose = match look.name == FIRST_CLIP {
        true => preparer.options.name.clone(),
        false => format!("{}, {}", preparer.options.name, look.name),
    };
    let mut words = vec![format!("{whose} - {}×{}", report.size.0, report.size.1)];
    words.extend(report.refusal.iter().map(|why| format!("refused: {why}")));
    words.extend(report.notes());
    sheet.png(&words, &plan.verdicts, &plan.used)
}

/// The frames that take time: those of the avatar, and those that the sheet shows.
fn busy(plan: &Plan) -> impl Iterator<Item = usize> {
    let wanted = chosen(&plan.verdicts, &plan.used);
    (0..plan.verdicts.len()).filter(move |index| plan.used.contains(index) || wanted.contains(index))
}

/// Reads the footage again, draws what the sheet shows, and hands every frame that takes time to `take`: a used one with its place in the
/// stretch and its mask.
fn read(
    preparer: &mut Preparer,
    (plan, seen): (&Plan, &[Observation]),
    source: &mut dyn FrameSource,
    mut take: impl FnMut(&mut Preparer, &SourceFrame, Option<(usize, &[u8])>) -> Result<()>,
) -> Result<Sheet> {
    let size = (source.width() as usize, source.height() as usize);
    let (wanted, busy) = (chosen(&plan.verdicts, &plan.used), busy(plan).collect::<Vec<_>>());
    let (mut sheet, mut screen, mut frame) = (Sheet::default(), None, SourceFrame::default());
    let start = preparer.options.frames().start;
    source.rewind()?;
    source.skip(start)?;
    let end = busy.last().map_or(0, |last| last + 1);
    for (index, observation) in seen.iter().enumerate().take(end) {
        if !source::next(source, &mut frame)? {
            break;
        }
        // The screen is that of the first frame, whether it is used or not.
        if let (Some(key), true) = (preparer.options.key, screen.is_none()) {
            screen = Some(Screen::find(&frame.rgb, size, key).map_err(|e| source::named(source, e))?);
        }
        if busy.binary_search(&index).is_err() {
            continue;
        }
        if let Some(screen) = &screen {
            frame.alpha = screen.matte(&mut frame.rgb);
        }
        let picture = Picture { rgb: &frame.rgb, width: size.0, height: size.1 };
        let place = plan.place(index);
        let mask = match place {
            Some(place) => Some(mask(preparer, &picture, &plan.faces[place], &plan.points[place])?),
            None => None,
        };
        let used = plan.used.contains(&index);
        if wanted.contains(&index) {
            let shown = Shown {
                frame: start + index as u64,
                verdict: plan.verdicts[index],
                used,
                points: place.map_or_else(|| observation.landmarks(), |place| Some(&plan.points[place])),
                faces: &observation.faces,
                face: place.map(|place| plan.faces[place]),
                mask: mask.as_deref(),
                alpha: &frame.alpha,
            };
            sheet.add(&picture, &shown);
        }
        take(preparer, &frame, place.filter(|_| used).zip(mask.as_deref()))?;
    }
    Ok(sheet)
}

fn mask(
    preparer: &mut Preparer,
    picture: &Picture<'_>,
    face: &FaceBox,
    points: &Landmarks,
) -> Result<Vec<u8>> {
    let classes = match &mut preparer.parser {
        Some(parser) => {
            let crop = face.crop();
            let (side, parsed) = (crop.width() as usize, FaceParser::SIDE);
            let square = picture.square(&crop);
            parser.parse(&pillow_resize(&square, 3, (side, side), (parsed, parsed), Filter::Bilinear))?
        }
        None => classes_of(points, face),
    };
    Ok(mask_of(&classes, face, preparer.options.mask, preparer.options.blur))
}
