"""Renders a clip as the official offline script does, with the libraries that script uses: the oracle of `render --reference`.

    python oracle.py --checkpoint DIR --parts DIR --audio VOICE.wav --out DIR
                     [--fps N] [--blur offline|realtime] [--mask jaw|neck|raw] [--cheek-width L,R]

PyTorch, diffusers and transformers run the networks, WhisperFeatureExtractor makes the log-mel spectrum, OpenCV and Pillow do
everything to pictures.  Written from a description of the behaviour.  Two things differ from the official script on purpose: the
face boxes and the parsed faces (class maps) are given, and latents are posterior means, which makes runs repeatable.

DIR of a checkpoint holds whisper/, unet/ and vae/, each with config.json and safetensors.  PARTS holds frames/00000000.png …,
boxes.json with [[x1, y1, x2, y2], …] and classes/00000000.png …, maps of 512×512 with the classes 0 … 18.
"""

from __future__ import annotations

import argparse
import json
import math
import wave
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from PIL import Image
from safetensors.torch import load_file
from transformers import WhisperConfig, WhisperFeatureExtractor
from transformers.models.whisper.modeling_whisper import WhisperEncoder

RATE = 16_000
TOKEN = 320  # samples of one encoder state: 20 ms
PADDING = 2  # audio_padding_length_left and _right
PARSED = 512  # side of a class map
BLUR = {"offline": 0.05, "realtime": 0.1}


@dataclass
class Settings:
    """What the official script takes from its command line."""

    fps: float = 25.0
    blur: str = "offline"
    mask: str = "jaw"
    cheeks: tuple[int, int] = (90, 90)


# ---------------------------------------------------------------- sound


def frame_count(samples: int, fps: float) -> int:
    """Frames of a clip; every operation rounds as IEEE doubles do."""
    return math.floor(samples / RATE * int(fps))


def window_start(frame: int, fps: float) -> int:
    """The row of the padded states at which the window of a frame begins."""
    return math.floor(frame * (50 / int(fps)))


def hear(pcm: np.ndarray, whisper: WhisperEncoder, fps: float) -> np.ndarray:
    """Windows of hidden states, [frames, 10 · layers, width]."""
    segment = TOKEN * whisper.config.max_source_positions
    extractor = WhisperFeatureExtractor(feature_size=whisper.config.num_mel_bins)
    extractor.n_samples = segment
    states = []
    for start in range(0, len(pcm), segment):
        mel = extractor(pcm[start : start + segment], sampling_rate=RATE, return_tensors="pt").input_features
        hidden = whisper(mel.float(), output_hidden_states=True).hidden_states
        states.append(torch.stack(hidden, dim=2)[0])
    states = torch.cat(states).numpy()

    tokens = math.floor(len(pcm) / RATE * 50)
    left = math.ceil(50 / int(fps))
    zeros = np.zeros_like(states[:1])
    padded = np.concatenate(
        [zeros.repeat(left * PADDING, 0), states[:tokens], zeros.repeat(left * 3 * PADDING, 0)]
    )
    length = 2 * (PADDING + PADDING + 1)
    windows = []
    for frame in range(frame_count(len(pcm), fps)):
        start = window_start(frame, fps)
        window = padded[start : start + length]
        if len(window) != length:
            raise SystemExit(f"frame {frame}: the window runs past the padding; the official script ends here")
        windows.append(window.reshape(-1, window.shape[-1]))
    return np.stack(windows) if windows else np.zeros((0, 0, 0), np.float32)


def positions(rows: int, width: int) -> torch.Tensor:
    """The sinusoidal table that is added to a window, in float32."""
    row = torch.arange(rows, dtype=torch.float32)[:, None]
    divisor = torch.exp(torch.arange(0, width, 2).float() * (-math.log(10000.0) / width))
    table = torch.zeros(rows, width)
    table[:, 0::2] = torch.sin(row * divisor)
    table[:, 1::2] = torch.cos(row * divisor)
    return table


# ---------------------------------------------------------------- faces


def latent_of(frame: np.ndarray, box: list[int], vae: AutoencoderKL) -> torch.Tensor:
    """The latent of a face with its lower half black, and of the whole face, [1, 8, l, l]. `frame` is BGR."""
    x1, y1, x2, y2 = box
    size = vae.config.sample_size
    crop = cv2.resize(frame[y1:y2, x1:x2], (size, size), interpolation=cv2.INTER_LANCZOS4)
    rgb = cv2.cvtColor(crop, cv2.COLOR_BGR2RGB) / 255.0
    whole = torch.tensor(rgb.transpose(2, 0, 1).astype(np.float32))[None]
    upper = torch.zeros(1, 1, size, size)
    upper[:, :, : size // 2] = 1
    both = [(picture - 0.5) / 0.5 for picture in (whole * upper, whole)]
    return torch.cat([vae.config.scaling_factor * vae.encode(x).latent_dist.mean for x in both], dim=1)


def speak(latent: torch.Tensor, window: np.ndarray, unet: UNet2DConditionModel, vae: AutoencoderKL) -> np.ndarray:
    """The face saying the window, uint8 BGR."""
    audio = torch.tensor(window)[None]
    audio = audio + positions(audio.shape[1], audio.shape[2])
    predicted = unet(latent, torch.tensor([0]), encoder_hidden_states=audio).sample
    picture = vae.decode(predicted * (1 / vae.config.scaling_factor)).sample
    picture = (picture / 2 + 0.5).clamp(0, 1).permute(0, 2, 3, 1).float().numpy()
    return (picture * 255).round().astype(np.uint8)[0, :, :, ::-1]


# ---------------------------------------------------------------- masks


def jaw(classes: np.ndarray, cheeks: tuple[int, int]) -> np.ndarray:
    """The skin, grown upwards, with its cheeks eroded; nose off, mouth and lips on."""
    cone = np.zeros((33, 33), np.uint8)
    for row in range(33):
        half = max(0, min(row - 10, 10))
        if row >= 10:
            cone[row, 16 - half : 17 + half] = 1
    skin = ((classes == 1) * 255).astype(np.uint8)
    grown = cv2.dilate(skin, cone, iterations=1)
    line = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (35, 3))
    eroded = cv2.erode(grown, line, iterations=2)
    at_cheek = np.zeros((PARSED, PARSED), bool)
    middle = PARSED // 2
    at_cheek[:, : middle - cheeks[0] + 1] = True
    at_cheek[:, middle + cheeks[1] :] = True
    both = np.where(at_cheek, eroded, grown)
    return ((both == 255) & (classes != 10)) | np.isin(classes, (11, 12, 13))


def selected(classes: np.ndarray, settings: Settings) -> np.ndarray:
    """Which pixels of the parsed face may change, 512×512, 0 or 255."""
    match settings.mask:
        case "jaw":
            chosen = jaw(classes, settings.cheeks)
        case "neck":
            chosen = np.isin(classes, (1, 11, 12, 13, 14))
        case _:
            chosen = np.isin(classes, (1, 11, 12, 13))
    return (chosen * 255).astype(np.uint8)


def crop_box(box: list[int], expand: float = 1.5) -> tuple[int, int, int, int]:
    """The square around a face in which its mask lives."""
    x1, y1, x2, y2 = box
    xc, yc = (x1 + x2) // 2, (y1 + y2) // 2
    s = int((max(x2 - x1, y2 - y1) // 2) * expand)
    return xc - s, yc - s, xc + s, yc + s


def mask_of(classes: np.ndarray, box: list[int], settings: Settings) -> np.ndarray:
    """The alpha mask over the crop box."""
    xs, ys, xe, ye = crop_box(box)
    side = (xe - xs, ye - ys)
    parsed = Image.fromarray(selected(classes, settings)).resize(side)
    inside = (box[0] - xs, box[1] - ys, box[2] - xs, box[3] - ys)
    face = Image.new("L", side, 0)
    face.paste(parsed.crop(inside), inside)
    whole = np.array(face)
    top = int(side[1] * 0.5)
    lower = np.zeros_like(whole)
    lower[top:] = whole[top:]
    kernel = int(BLUR[settings.blur] * side[0] // 2 * 2) + 1
    return cv2.GaussianBlur(lower, (kernel, kernel), 0)


def blend(frame: np.ndarray, face: np.ndarray, box: list[int], mask: np.ndarray) -> np.ndarray:
    """The generated face in its frame. All BGR."""
    x1, y1, x2, y2 = box
    face = cv2.resize(face, (x2 - x1, y2 - y1))
    crop = crop_box(box)
    body = Image.fromarray(frame[:, :, ::-1])
    large = body.crop(crop)
    large.paste(Image.fromarray(np.ascontiguousarray(face[:, :, ::-1])), (x1 - crop[0], y1 - crop[1], x2 - crop[0], y2 - crop[1]))
    body.paste(large, crop[:2], Image.fromarray(mask))
    return np.array(body)[:, :, ::-1]


# ---------------------------------------------------------------- the whole


class Networks:
    """The three checkpoints, in float32."""

    def __init__(self, folder: Path):
        config = json.loads((folder / "whisper/config.json").read_text())
        config = WhisperConfig(**config, attn_implementation="eager")
        self.whisper = WhisperEncoder(config)
        weights = load_file(folder / "whisper/model.safetensors")
        self.whisper.load_state_dict({key.removeprefix("model.").removeprefix("encoder."): value.float() for key, value in weights.items()})
        self.unet = UNet2DConditionModel.from_pretrained(folder / "unet", torch_dtype=torch.float32, low_cpu_mem_usage=False)
        self.vae = AutoencoderKL.from_pretrained(folder / "vae", torch_dtype=torch.float32, low_cpu_mem_usage=False)
        for network in (self.whisper, self.unet, self.vae):
            network.eval()


class Person:
    """Frames (BGR), boxes and class maps."""

    def __init__(self, folder: Path):
        self.boxes = json.loads((folder / "boxes.json").read_text())
        names = [f"{index:08}.png" for index in range(len(self.boxes))]
        self.frames = [cv2.imread(str(folder / "frames" / name)) for name in names]
        self.classes = [cv2.imread(str(folder / "classes" / name), cv2.IMREAD_GRAYSCALE) for name in names]

    def cycle(self, index: int) -> int:
        """The source frame of an output frame: forth and back, both end frames twice."""
        at = index % (2 * len(self.boxes))
        return at if at < len(self.boxes) else 2 * len(self.boxes) - 1 - at


def read_wav(path: Path) -> np.ndarray:
    """16-bit mono at 16 kHz as float32."""
    with wave.open(str(path)) as file:
        if (file.getframerate(), file.getnchannels(), file.getsampwidth()) != (RATE, 1, 2):
            raise SystemExit(f"{path} is not 16-bit mono at 16 kHz")
        return np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.float32) / 32768


def render(networks: Networks, person: Person, pcm: np.ndarray, settings: Settings):
    """Yields (generated face, finished frame), both BGR, one pair per frame."""
    with torch.inference_mode():
        windows = hear(pcm, networks.whisper, settings.fps)
        latents = [latent_of(frame, box, networks.vae) for frame, box in zip(person.frames, person.boxes)]
        masks = [mask_of(classes, box, settings) for classes, box in zip(person.classes, person.boxes)]
        for index, window in enumerate(windows):
            at = person.cycle(index)
            face = speak(latents[at], window, networks.unet, networks.vae)
            yield face, blend(person.frames[at], face, person.boxes[at], masks[at])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--parts", type=Path, required=True)
    parser.add_argument("--audio", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--fps", type=float, default=25.0)
    parser.add_argument("--blur", choices=BLUR, default="offline")
    parser.add_argument("--mask", choices=("jaw", "neck", "raw"), default="jaw")
    parser.add_argument("--cheek-width", default="90,90")
    given = parser.parse_args()
    cheeks = [int(width) for width in given.cheek_width.split(",")]
    settings = Settings(given.fps, given.blur, given.mask, (cheeks[0], cheeks[-1]))
    given.out.mkdir(parents=True)
    frames = render(Networks(given.checkpoint), Person(given.parts), read_wav(given.audio), settings)
    for index, (_, frame) in enumerate(frames):
        cv2.imwrite(str(given.out / f"{index:08}.png"), frame)


if __name__ == "__main__":
    torch.set_num_threads(2)
    main()
