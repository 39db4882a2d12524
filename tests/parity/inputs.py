"""Seeded inputs of the kind that the networks meet: speech-like sound, smooth pictures, latents of unit deviation."""
import math

import numpy as np
import torch
from torch.nn import functional as F

MEANS, DEVIATIONS = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def generator(seed):
    return torch.Generator().manual_seed(seed)


def voice(seed, seconds=30.0, rate=16000):
    """Syllables of a gliding harmonic tone with pauses and a little noise."""
    draw = np.random.default_rng(seed)
    n = int(seconds * rate)
    time = np.arange(n) / rate
    pitch = 130 + 30 * np.sin(2 * math.pi * 0.31 * time + draw.uniform(0, 6))
    phase = 2 * math.pi * np.cumsum(pitch) / rate
    colour = 0.5 + 0.5 * np.sin(2 * math.pi * 1.7 * time)
    tone = sum(np.sin(k * phase) / k * (colour if k % 2 else 1 - colour / 2) for k in range(1, 30))
    syllables = np.clip(np.sin(2 * math.pi * 4.1 * time) + 0.3, 0, None) * (np.sin(2 * math.pi * 0.4 * time) > -0.6)
    return (0.12 * tone * syllables + 0.002 * draw.standard_normal(n)).astype(np.float32)


def mel(seed):
    """[1, 80, 3000], as the reference's feature extractor makes it."""
    from transformers import WhisperFeatureExtractor

    return WhisperFeatureExtractor()(voice(seed), sampling_rate=16000, return_tensors="pt").input_features.float()


def pictures(seed, count, height, width):
    """RGB 0…255 [B, 3, H, W]: clouds of several sizes, a hard edge here and there."""
    draw = generator(seed)
    total = torch.zeros(count, 3, height, width)
    for cells, strength in ((3, 1.0), (9, 0.6), (33, 0.3), (129, 0.1)):
        noise = torch.randn(count, 3, cells, cells, generator=draw)
        total += strength * F.interpolate(noise, size=(height, width), mode="bicubic", align_corners=False)
    edges = F.interpolate(torch.randn(count, 1, 5, 5, generator=draw), size=(height, width), mode="bilinear")
    return (127 + 70 * total + 40 * (edges > 0.3)).clamp(0, 255).round()


def face_pair(seed):
    """The encoder's input [2, 3, 256, 256] in -1…1: one crop with its lower half black, and whole."""
    whole = pictures(seed, 1, 256, 256) / 255
    masked = whole.clone()
    masked[:, :, 128:] = 0
    return torch.cat([masked, whole]) * 2 - 1


def parsed_picture(seed, count=1):
    """The face parser's input [B, 3, 512, 512]."""
    mean, deviation = (torch.tensor(values)[:, None, None] for values in (MEANS, DEVIATIONS))
    return (pictures(seed, count, 512, 512) / 255 - mean) / deviation


def detected_picture(seed, height, width):
    """The face detector's input [1, 3, H, W]."""
    return pictures(seed, 1, height, width) - torch.tensor((104.0, 117.0, 123.0))[:, None, None]


def latents(seed, count, channels):
    """[B, C, 32, 32] of unit deviation, smoother than noise, as scaled latents of pictures are."""
    noise = torch.randn(count, channels, 32, 32, generator=generator(seed))
    smooth = F.avg_pool2d(F.pad(noise, (1, 1, 1, 1), mode="reflect"), 3, 1)
    mixed = 0.5 * noise + 2 * smooth
    return mixed / mixed.std()


def audio_rows(seed, count):
    """The generator's second input [B, 50, 384] without the positional encoding: levels differ by layer, as states' do."""
    level = torch.tensor((0.7, 1.0, 1.3, 1.6, 1.1)).repeat(10)[:, None]
    return torch.randn(count, 50, 384, generator=generator(seed)) * level


def positions(rows=50, width=384):
    """MuseTalk's sinusoidal table, divisor in float32."""
    row = torch.arange(rows, dtype=torch.float32)[:, None]
    divisor = torch.exp(torch.arange(0, width, 2).float() * (-math.log(10000.0) / width))
    table = torch.zeros(rows, width)
    table[:, 0::2] = torch.sin(row * divisor)
    table[:, 1::2] = torch.cos(row * divisor)
    return table
