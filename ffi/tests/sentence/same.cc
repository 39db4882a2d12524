// same PACK AVATAR VOICE prints a line for every frame of the voice.
#include <musetalk.hpp>

#include "hash.h"

int main(int count, char** words) {
    if (count != 4) return 2;
    size_t sample_count = 0;
    const std::unique_ptr<int16_t, decltype(&std::free)> voice(voice_of(words[3], &sample_count), std::free);
    musetalk::EngineOptions options;
    options.device = MUSETALK_DEVICE_CPU;
    const auto engine = musetalk::Engine::load(words[1], options).value();
    auto avatar = engine.open_avatar(words[2]).value();
    avatar.push(voice.get(), sample_count).value();
    avatar.finish().value();
    while (const auto frame = avatar.next_frame().value()) {
        std::printf("%llu %08x %08x\n", static_cast<unsigned long long>(frame->utterance_frame()),
                    static_cast<unsigned>(crc32_of(frame->pixels(), size_t(frame->stride()) * frame->height())),
                    static_cast<unsigned>(crc32_of(frame->samples(), frame->sample_count() * sizeof(float))));
    }
}
