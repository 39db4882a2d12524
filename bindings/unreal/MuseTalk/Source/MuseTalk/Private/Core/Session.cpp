#include "Core/Session.h"

#include <algorithm>
#include <thread>
#include <utility>

namespace MuseTalk {

namespace {

/// Pictures that may be lent at once: the game thread's, those on their way to the GPU, and one to spare.
constexpr uint32_t FramesLent = 8;
/// Seconds a tap may wait for the game thread: longer than a level takes to load, as a rule.
constexpr double TapSeconds = 10.0;
constexpr size_t PassedAtOnce = 2048;

}  // namespace

Session::Session(const Library& library, musetalk_avatar* avatar, const musetalk_avatar_description& about)
    : Api(library), Raw(avatar), About(about) {}

Session::~Session() {
    if (Ear) Ear->Stop();
    if (Player) Player->CutThrough(UINT64_MAX);
    Api.avatar_free(Raw);
}

Outcome Session::Open(const Library& library, const musetalk_engine* engine, const SessionOptions& options,
                      std::unique_ptr<Session>& session_out) {
    musetalk_error error{};
    musetalk_avatar_options asked{};
    asked.struct_size = sizeof asked;
    asked.sample_rate = options.sample_rate;
    asked.format = MUSETALK_PIXEL_FORMAT_BGRA8;
    asked.frames_lent = FramesLent;
    asked.buffer_seconds = options.buffer_seconds;
    musetalk_avatar* avatar = nullptr;
    musetalk_status status = library.avatar_open(engine, options.asset.c_str(), &asked, &avatar, &error);
    if (status != MUSETALK_STATUS_OK) return MuseTalk::Told(status, error);
    musetalk_avatar_description about{};
    about.struct_size = sizeof about;
    status = library.avatar_describe(avatar, &about, &error);
    if (status != MUSETALK_STATUS_OK) {
        library.avatar_free(avatar);
        return MuseTalk::Told(status, error);
    }
    // Owned from here on, so that no failure below loses it.
    std::unique_ptr<Session> session(new Session(library, avatar, about));
    const Outcome read = session->ReadClips();
    if (!read.Ok()) return read;
    if (options.plays) {
        session->Player = std::make_shared<Voice>(about.sample_rate, static_cast<double>(options.buffer_seconds));
    }
    session_out = std::move(session);
    return {};
}

Outcome Session::ReadClips() {
    musetalk_error error{};
    for (uint32_t index = 0; index < About.clip_count; ++index) {
        musetalk_clip clip{};
        clip.struct_size = sizeof clip;
        const musetalk_status status = Api.avatar_clip(Raw, index, &clip, &error);
        if (status != MUSETALK_STATUS_OK) return MuseTalk::Told(status, error);
        Stretches.push_back({clip.name, clip.cycle_first, clip.cycle_length});
    }
    return {};
}

Outcome Session::RequestClip(const std::string& name) {
    musetalk_error error{};
    return MuseTalk::Told(Api.avatar_request_clip(Raw, name.c_str(), &error), error);
}

Outcome Session::BaseFrame(uint32_t cycle_index, std::vector<uint8_t>& pixels_out) const {
    musetalk_error error{};
    pixels_out.resize(size_t{4} * About.width * About.height);
    return MuseTalk::Told(Api.avatar_base_frame(Raw, cycle_index, pixels_out.data(), pixels_out.size(), &error), error);
}

Session::Line& Session::LineOf(uint64_t utterance) {
    for (Line& line : Lines) {
        if (line.utterance == utterance) return line;
    }
    Lines.push_back({utterance, 0, false, false});
    return Lines.back();
}

void Session::MarkFinished(uint64_t utterance) {
    // One that was cut has no line any more, and must not come back.
    for (Line& line : Lines) {
        if (line.utterance == utterance) line.finished = true;
    }
}

void Session::Queue(uint64_t utterance, const float* samples, size_t count) {
    // Room was asked for, and there is one pusher; only a tap that was just stopped can still be inside, for a moment.
    for (int attempt = 0; Player && !Player->Push(utterance, samples, count) && attempt < 1000; ++attempt) {
        std::this_thread::yield();
    }
    LineOf(utterance).samples += count;
}

Outcome Session::Begin() {
    if (Who != Speaker::Host) return Refused(MUSETALK_STATUS_INVALID_INPUT, "something else speaks here: stop it first");
    musetalk_error error{};
    uint64_t utterance = 0;
    const musetalk_status status = Api.avatar_begin(Raw, &utterance, &error);
    if (status != MUSETALK_STATUS_OK) return MuseTalk::Told(status, error);
    MarkFinished(Open_);
    Open_ = utterance;
    return {};
}

Outcome Session::Push(const float* samples, size_t count) {
    if (Who != Speaker::Host) return Refused(MUSETALK_STATUS_INVALID_INPUT, "something else speaks here: stop it first");
    if (count == 0) return {};
    if (Player && Player->Capacity() < count) {
        return Refused(MUSETALK_STATUS_INVALID_INPUT, "more sound than is ever taken at once: push it in parts");
    }
    if (Player && Player->Room() < count) {
        return Refused(MUSETALK_STATUS_BUFFER_FULL, "no room is left for sound; nothing was taken");
    }
    if (!Open_) {
        Outcome begun = Begin();
        if (!begun.Ok()) return begun;
    }
    musetalk_error error{};
    const musetalk_status status = Api.avatar_push(Raw, samples, count, &error);
    if (status != MUSETALK_STATUS_OK) return MuseTalk::Told(status, error);
    Queue(Open_, samples, count);
    return {};
}

Outcome Session::Finish() {
    if (Who != Speaker::Host) return Refused(MUSETALK_STATUS_INVALID_INPUT, "something else speaks here: stop it first");
    musetalk_error error{};
    const musetalk_status status = Api.avatar_finish(Raw, &error);
    // After a cut the utterance stays open, so that late samples of it are refused until the next begin.
    if (status != MUSETALK_STATUS_OK) return MuseTalk::Told(status, error);
    MarkFinished(Open_);
    Open_ = 0;
    return {};
}

Outcome Session::Listen(uint32_t device_rate, std::shared_ptr<Tap>& tap_out) {
    if (!Player) {
        return Refused(MUSETALK_STATUS_INVALID_INPUT, "what is tapped is played again here, so this face must play its sound itself");
    }
    Outcome begun = Begin();
    if (!begun.Ok()) return begun;
    Ear = std::make_shared<Tap>(device_rate, About.sample_rate, TapSeconds);
    Ear->PlayAs(Player, Open_);
    LineOf(Open_);
    Held.clear();
    Held.reserve(PassedAtOnce);
    Who = Speaker::Tap;
    tap_out = Ear;
    return {};
}

void Session::PassOn() {
    while (Ear) {
        if (Held.empty()) {
            Held.resize(PassedAtOnce);
            Held.resize(Ear->Read(Held.data(), PassedAtOnce));
        }
        // Held until the library takes it: the sound has it already, and both count the same samples.
        if (Held.empty() || Api.avatar_push(Raw, Held.data(), Held.size(), nullptr) != MUSETALK_STATUS_OK) return;
        LineOf(Open_).samples += Held.size();
        Held.clear();
    }
}

void Session::StopListening() {
    if (Who != Speaker::Tap) return;
    Ear->Stop();
    PassOn();
    Ear.reset();
    Who = Speaker::Host;
    Finish();
    Open_ = 0;
}

Outcome Session::Lend() {
    if (Who != Speaker::Host) return Refused(MUSETALK_STATUS_INVALID_INPUT, "something else speaks here: stop it first");
    if (!Player) return Refused(MUSETALK_STATUS_INVALID_INPUT, "a conversation needs a face that plays its sound itself");
    if (Open_) Finish();
    Open_ = 0;
    Who = Speaker::Conversation;
    return {};
}

void Session::GiveBack() {
    if (Who != Speaker::Conversation) return;
    Who = Speaker::Host;
    Returning = true;
    for (Line& line : Lines) line.finished = true;
}

bool Session::IsFree() {
    if (Who != Speaker::Host) return false;
    // There is nothing to finish: it is only refused, or not.
    if (Returning && Api.avatar_finish(Raw, nullptr) != MUSETALK_STATUS_INVALID_INPUT) Returning = false;
    return !Returning;
}

bool Session::PlayAnswer(uint64_t utterance, const float* samples, size_t count) {
    if (Who != Speaker::Conversation || !Player || Player->Room() < count) return false;
    Queue(utterance, samples, count);
    return true;
}

void Session::AnswerEnded(uint64_t utterance) { MarkFinished(utterance); }

void Session::AnswerCut(uint64_t utterance) { CutThrough(utterance); }

size_t Session::Room() const { return Player ? Player->Room() : 0; }

void Session::CutThrough(uint64_t utterance) {
    if (Player) Player->CutThrough(utterance);
    while (!Lines.empty() && Lines.front().utterance <= utterance) {
        News.push_back({Happening::Kind::Cut, Lines.front().utterance});
        Lines.pop_front();
    }
}

void Session::Interrupt() {
    uint64_t cut = 0;
    Api.avatar_interrupt(Raw, &cut, nullptr);
    if (Who == Speaker::Tap) {
        Ear->Stop();
        Ear.reset();
        Held.clear();
        Who = Speaker::Host;
        // What was tapped had no author that could send late samples of it.
        Open_ = 0;
    }
    CutThrough(cut);
}

void Session::Follow(const musetalk_heard& heard) {
    while (!Lines.empty() && Lines.front().utterance <= heard.utterance) {
        Line& line = Lines.front();
        const bool current = line.utterance == heard.utterance;
        if (!line.started) {
            line.started = true;
            News.push_back({Happening::Kind::Started, line.utterance});
        }
        // A later one sounds, or this one was heard to its end.
        const bool over = !current || (line.finished && heard.samples >= line.samples);
        if (!over) break;
        News.push_back({Happening::Kind::Ended, line.utterance});
        if (current) Told.samples = UINT64_MAX;
        Lines.pop_front();
    }
    // One that nothing was said in is over when it is finished.
    while (!Lines.empty() && Lines.front().finished && Lines.front().samples == 0) Lines.pop_front();
}

Outcome Session::Show(double now, double latency_seconds, Picture& picture_out) {
    PassOn();
    musetalk_heard ready{0, 0};
    if (Player && Api.avatar_ready(Raw, &ready, nullptr) == MUSETALK_STATUS_OK) Player->Release(ready.utterance);
    const musetalk_heard heard = Player ? Player->Heard(now, latency_seconds) : Reported;
    if (heard.utterance != Told.utterance || Told.samples != UINT64_MAX) Told = heard;
    Follow(heard);

    musetalk_error error{};
    musetalk_frame frame{};
    frame.struct_size = sizeof frame;
    const musetalk_status status = Api.avatar_acquire_latest(Raw, &heard, &frame, &error);
    if (status != MUSETALK_STATUS_OK) return MuseTalk::Told(status, error);
    Shown = frame.clip;
    picture_out = Picture(Api, frame, Texture.Next(frame, FootageFrame(Stretches, frame.cycle_index)));
    return {};
}

std::vector<Happening> Session::Happenings() { return std::exchange(News, {}); }

Outcome Session::Stats(musetalk_stats& stats_out) const {
    musetalk_error error{};
    stats_out = {};
    stats_out.struct_size = sizeof stats_out;
    return MuseTalk::Told(Api.avatar_stats(Raw, &stats_out, &error), error);
}

}  // namespace MuseTalk
