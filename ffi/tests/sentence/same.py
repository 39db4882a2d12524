"""same.py PACK AVATAR VOICE prints a line for every frame of the voice."""

import sys
import wave
import zlib

import numpy as np

import musetalk

pack, asset, voice = sys.argv[1:]
with wave.open(voice) as file:
    samples = np.frombuffer(file.readframes(file.getnframes()), "<i2")
with musetalk.Engine(pack, device="cpu").open_avatar(asset) as avatar:
    avatar.push(samples)
    avatar.finish()
    for frame in avatar:
        print(frame.utterance_frame, f"{zlib.crc32(frame.image):08x} {zlib.crc32(frame.audio):08x}")
