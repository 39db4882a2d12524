// The face in a window, with SDL2: speech and idle, drawn at the display's rate. window PACK AVATAR [SECONDS] [SCREENSHOT.bmp]
// SDL_VIDEODRIVER and SDL_RENDER_DRIVER choose how; SPACE interrupts, the window's cross ends it.
#include <musetalk.hpp>

#include <SDL.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <vector>

/// What the loudspeaker plays; its callback is the clock.
struct Voice {
    std::vector<float> samples;
    SDL_atomic_t played;
    SDL_atomic_t started;
};

static void SDLCALL play(void* data, Uint8* out, int bytes) {
    auto& voice = *static_cast<Voice*>(data);
    auto* to = reinterpret_cast<float*>(out);
    const int wanted = bytes / static_cast<int>(sizeof(float));
    const int from = SDL_AtomicGet(&voice.played);
    for (int at = 0; at < wanted; at++) {
        const size_t place = static_cast<size_t>(from) + static_cast<size_t>(at);
        to[at] = SDL_AtomicGet(&voice.started) && place < voice.samples.size() ? voice.samples[place] : 0.0f;
    }
    if (SDL_AtomicGet(&voice.started)) SDL_AtomicAdd(&voice.played, wanted);
}

int main(int count, char** words) {
    if (count < 3) {
        std::fprintf(stderr, "window PACK AVATAR [SECONDS] [SCREENSHOT.bmp]\n");
        return 2;
    }
    const double seconds = count > 3 ? std::atof(words[3]) : 5;
    const auto engine = musetalk::Engine::load(words[1]).value();
    musetalk::AvatarOptions options;
    options.format = MUSETALK_PIXEL_FORMAT_RGBA8;
    auto avatar = engine.open_avatar(words[2], options).value();
    const auto about = avatar.describe();
    const int width = static_cast<int>(about.width), height = static_cast<int>(about.height);

    Voice voice;
    SDL_AtomicSet(&voice.played, 0);
    SDL_AtomicSet(&voice.started, 0);
    voice.samples.resize(static_cast<size_t>(seconds * 24000));
    for (size_t at = 0; at < voice.samples.size(); at++) {
        const double time = static_cast<double>(at) / 24000, syllable = 0.5 - 0.5 * std::cos(6.283 * 4 * time);
        voice.samples[at] = static_cast<float>(0.3 * syllable * std::sin(6.283 * 140 * time) * std::sin(6.283 * 500 * time));
    }
    avatar.push(voice.samples).value();
    avatar.finish().value();

    if (SDL_Init(SDL_INIT_VIDEO | SDL_INIT_AUDIO) != 0) {
        std::fprintf(stderr, "%s\n", SDL_GetError());
        return 1;
    }
    SDL_Window* window = SDL_CreateWindow("MuseTalk", SDL_WINDOWPOS_CENTERED, SDL_WINDOWPOS_CENTERED, width, height, 0);
    SDL_Renderer* renderer = window ? SDL_CreateRenderer(window, -1, 0) : nullptr;
    SDL_Texture* texture =
        renderer ? SDL_CreateTexture(renderer, SDL_PIXELFORMAT_RGBA32, SDL_TEXTUREACCESS_STREAMING, width, height) : nullptr;
    if (!texture) {
        std::fprintf(stderr, "%s\n", SDL_GetError());
        return 1;
    }
    SDL_AudioSpec spec{};
    spec.freq = 24000;
    spec.format = AUDIO_F32SYS;
    spec.channels = 1;
    spec.samples = 480;
    spec.callback = play;
    spec.userdata = &voice;
    const SDL_AudioDeviceID device = SDL_OpenAudioDevice(nullptr, 0, &spec, nullptr, 0);
    if (!device) std::fprintf(stderr, "no loudspeaker: %s\n", SDL_GetError());
    if (device) SDL_PauseAudioDevice(device, 0);

    std::optional<musetalk::Heard> heard;
    uint64_t base = UINT64_MAX;
    SDL_Rect differed{};
    int uploads = 0, regions = 0, speech = 0;
    Uint32 began = 0;
    bool running = true;
    while (running) {
        for (SDL_Event event; SDL_PollEvent(&event);) {
            if (event.type == SDL_QUIT) running = false;
            if (event.type == SDL_KEYDOWN && event.key.keysym.sym == SDLK_SPACE) (void)avatar.interrupt();
        }
        if (!heard && (heard = avatar.ready().value())) {
            SDL_AtomicSet(&voice.started, 1);
            began = SDL_GetTicks();
        }
        if (heard) {
            // Without a loudspeaker, a clock has to do.
            const uint64_t clock = static_cast<uint64_t>(SDL_GetTicks() - began) * 24;
            heard->samples = device ? static_cast<uint64_t>(SDL_AtomicGet(&voice.played)) : clock;
            if (heard->samples > voice.samples.size() + 12000) running = false;
        }
        if (const auto frame = avatar.latest_at(heard).value()) {
            // Over the same base frame only the regions of this picture and of the one before; else the whole picture.
            const auto region = frame->region();
            SDL_Rect part{static_cast<int>(region.x), static_cast<int>(region.y), static_cast<int>(region.width),
                          static_cast<int>(region.height)};
            const bool whole = base != frame->cycle_index();
            // Where the picture before differed, the base frame comes back.
            const SDL_Rect now = part;
            SDL_UnionRect(&now, &differed, &part);
            differed = now;
            if (whole) part = SDL_Rect{0, 0, width, height};
            if (part.w > 0) {
                const uint8_t* pixels =
                    frame->pixels() + static_cast<size_t>(part.y) * frame->stride() + static_cast<size_t>(part.x) * 4;
                SDL_UpdateTexture(texture, &part, pixels, static_cast<int>(frame->stride()));
            }
            base = frame->cycle_index();
            uploads++;
            regions += whole ? 0 : 1;
            speech += frame->utterance() ? 1 : 0;
        }
        SDL_RenderClear(renderer);
        SDL_RenderCopy(renderer, texture, nullptr, nullptr);
        if (count > 4 && speech == 40) {
            SDL_Surface* shot = SDL_CreateRGBSurfaceWithFormat(0, width, height, 24, SDL_PIXELFORMAT_RGB24);
            SDL_RenderReadPixels(renderer, nullptr, SDL_PIXELFORMAT_RGB24, shot->pixels, shot->pitch);
            SDL_SaveBMP(shot, words[4]);
            SDL_FreeSurface(shot);
            speech++;
        }
        SDL_RenderPresent(renderer);
        SDL_Delay(10);
    }
    if (device) SDL_CloseAudioDevice(device);
    SDL_Quit();
    std::printf("%d pictures, %d of speech, %d of them only a region\n", uploads, speech, regions);
    return speech > 0 ? 0 : 1;
}
