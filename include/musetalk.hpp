// MuseTalk in C++: header-only C++17 over musetalk.h.
//
//     auto engine = musetalk::Engine::load("models/demo/pack").value();
//     auto avatar = engine.open_avatar("models/demo/iris.avatar").value();
//     avatar.push(voice.data(), voice.size()).value();
//     avatar.finish().value();
//     while (auto frame = avatar.next_frame().value())
//         show(frame->pixels(), frame->width(), frame->height(), frame->pts());
//
// Objects own what they stand for, can be moved and not copied, and are empty after that: an empty one answers INVALID_INPUT. Nothing throws:
// every call gives a Result. Only Result::value() does, a musetalk::Failure, or aborts where exceptions are off.
//
// Threads are as in musetalk.h: a const member function is for any thread, one without const belongs to one end of the object, and one thread at a
// time may be in it. push, begin and finish are the pushing end of an Avatar; ready and the ways to read are its acquiring end.
#ifndef MUSETALK_HPP
#define MUSETALK_HPP

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <functional>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "musetalk.h"

namespace musetalk {

using Status = musetalk_status;
using Device = musetalk_device;
using PixelFormat = musetalk_pixel_format;
using Heard = musetalk_heard;
using Region = musetalk_region;
using Nanoseconds = std::chrono::nanoseconds;

/// What went wrong: `status` is for the program, `message` for the person.
struct Error {
    Status status = MUSETALK_STATUS_INTERNAL;
    std::string message;
};

#if defined(__cpp_exceptions) || defined(_CPPUNWIND)
#define MUSETALK_HAS_EXCEPTIONS 1
#endif

/// What Result::value() throws.
class Failure : public std::exception {
  public:
    explicit Failure(Error error) : _error(std::move(error)) {}
    const char* what() const noexcept override { return _error.message.c_str(); }
    /// What went wrong.
    const Error& error() const noexcept { return _error; }

  private:
    Error _error;
};

namespace detail {
[[noreturn]] inline void fail(const Error& error) {
#ifdef MUSETALK_HAS_EXCEPTIONS
    throw Failure(error);
#else
    (void)error;
    std::abort();
#endif
}

/// The caller's room for an error; nothing is written there unless a call fails.
class Trouble {
  public:
    Trouble() {
        _raw.status = MUSETALK_STATUS_INTERNAL;
        _raw.message[0] = '\0';
    }
    operator musetalk_error*() { return &_raw; }
    Error taken(Status status) const { return {status, _raw.message}; }

  private:
    musetalk_error _raw;
};

template <typename T>
T sized() {
    T value{};
    value.struct_size = sizeof(T);
    return value;
}

inline int64_t timeout_of(std::optional<Nanoseconds> timeout) {
    // A negative time would wait for ever.
    return timeout ? (timeout->count() < 0 ? 0 : static_cast<int64_t>(timeout->count())) : -1;
}
}  // namespace detail

/// Either a value or an Error.
template <typename T>
class [[nodiscard]] Result {
  public:
    Result(T value) : _either(std::in_place_index<0>, std::move(value)) {}
    Result(Error error) : _either(std::in_place_index<1>, std::move(error)) {}

    /// Whether there is a value.
    explicit operator bool() const noexcept { return _either.index() == 0; }
    bool has_value() const noexcept { return _either.index() == 0; }
    /// The error; only where there is no value.
    const Error& error() const& { return *std::get_if<1>(&_either); }
    Error error() && { return std::move(*std::get_if<1>(&_either)); }
    /// OK where there is a value.
    Status status() const noexcept { return has_value() ? MUSETALK_STATUS_OK : std::get_if<1>(&_either)->status; }

    /// The value, or a Failure thrown, or an abort where exceptions are off.
    T& value() & { return check(), *std::get_if<0>(&_either); }
    const T& value() const& { return check(), *std::get_if<0>(&_either); }
    T value() && { return check(), std::move(*std::get_if<0>(&_either)); }
    /// The value, or `other` where there is none.
    template <typename Other>
    T value_or(Other&& other) const& {
        return has_value() ? *std::get_if<0>(&_either) : static_cast<T>(std::forward<Other>(other));
    }
    template <typename Other>
    T value_or(Other&& other) && {
        return has_value() ? std::move(*std::get_if<0>(&_either)) : static_cast<T>(std::forward<Other>(other));
    }

    /// Only where there is a value.
    T* operator->() { return std::get_if<0>(&_either); }
    const T* operator->() const { return std::get_if<0>(&_either); }
    T& operator*() & { return *std::get_if<0>(&_either); }
    const T& operator*() const& { return *std::get_if<0>(&_either); }
    T operator*() && { return std::move(*std::get_if<0>(&_either)); }

  private:
    void check() const {
        if (!has_value()) detail::fail(*std::get_if<1>(&_either));
    }
    std::variant<T, Error> _either;
};

/// Either nothing, because all went well, or an Error.
template <>
class [[nodiscard]] Result<void> {
  public:
    Result() = default;
    Result(Error error) : _error(std::move(error)) {}

    /// Whether all went well.
    explicit operator bool() const noexcept { return !_error; }
    bool has_value() const noexcept { return !_error; }
    /// The error; only where there is one.
    const Error& error() const& { return *_error; }
    Error error() && { return std::move(*_error); }
    Status status() const noexcept { return _error ? _error->status : static_cast<Status>(MUSETALK_STATUS_OK); }

    /// Nothing, or a Failure thrown, or an abort where exceptions are off.
    void value() const {
        if (_error) detail::fail(*_error);
    }

  private:
    std::optional<Error> _error;
};

namespace detail {
inline Result<void> outcome(Status status, const Trouble& trouble) {
    if (status == MUSETALK_STATUS_OK) return {};
    return trouble.taken(status);
}

template <auto Free>
struct Deleter {
    template <typename T>
    void operator()(T* object) const {
        Free(object);
    }
};
}  // namespace detail

namespace detail {
/// Hands a function to C: its callback, its data, and how the data ends.
template <typename Object>
Result<void> set_wake(musetalk_status (*set)(const Object*, musetalk_wake_callback, void*, musetalk_finalizer, musetalk_error*),
                      const Object* object, std::function<void()> woken) {
    using Woken = std::function<void()>;
    Trouble trouble;
    if (!woken) return outcome(set(object, nullptr, nullptr, nullptr, trouble), trouble);
    const auto callback = [](void* data) { (*static_cast<Woken*>(data))(); };
    const auto finalizer = [](void* data) { delete static_cast<Woken*>(data); };
    auto* owned = new Woken(std::move(woken));
    return outcome(set(object, callback, owned, finalizer, trouble), trouble);
}
}  // namespace detail

/// Whether header and library were made for each other. Ask once, at start.
inline bool compatible() { return musetalk_abi_version() == MUSETALK_ABI_VERSION; }
/// The library's version, such as "0.1.0".
inline const char* version() { return musetalk_version(); }

/// One finished picture with its sound, lent by an avatar; the destructor gives it back, on any thread.
class Frame {
  public:
    Frame(Frame&& other) noexcept : _raw(std::exchange(other._raw, detail::sized<musetalk_frame>())) {}
    /// Gives back at once what it held.
    Frame& operator=(Frame&& other) noexcept {
        if (this != &other) {
            musetalk_frame_release(&_raw);
            _raw = std::exchange(other._raw, detail::sized<musetalk_frame>());
        }
        return *this;
    }
    Frame(const Frame&) = delete;
    Frame& operator=(const Frame&) = delete;
    ~Frame() { musetalk_frame_release(&_raw); }

    /// Rows from top to bottom, stride() * height() bytes. Null once the frame was moved away.
    const uint8_t* pixels() const { return _raw.pixels; }
    uint32_t width() const { return _raw.width; }
    uint32_t height() const { return _raw.height; }
    /// Bytes from one row to the next.
    uint32_t stride() const { return _raw.stride; }
    PixelFormat format() const { return static_cast<PixelFormat>(_raw.format); }
    /// The samples that sound while this is on screen, mono, -1..1.
    const float* samples() const { return _raw.samples; }
    size_t sample_count() const { return _raw.sample_count; }
    /// Counts the pictures of its avatar, from 0.
    uint64_t index() const { return _raw.index; }
    /// 0 for idle and closing pictures.
    uint64_t utterance() const { return _raw.utterance; }
    uint64_t utterance_frame() const { return _raw.utterance_frame; }
    /// When to show it; see musetalk_frame.
    Nanoseconds pts() const { return Nanoseconds(_raw.pts_nanos); }
    /// Where it differs from base frame cycle_index().
    Region region() const { return _raw.region; }
    uint32_t cycle_index() const { return _raw.cycle_index; }
    /// The clip that base frame belongs to; see Avatar::clip.
    uint32_t clip() const { return _raw.clip; }
    /// All of it, as C knows it.
    const musetalk_frame& raw() const { return _raw; }

  private:
    friend class Avatar;
    explicit Frame(const musetalk_frame& raw) : _raw(raw) {}
    musetalk_frame _raw;
};

/// How an avatar listens and draws. Zero is the default.
struct AvatarOptions {
    uint32_t sample_rate = 0;
    PixelFormat format = MUSETALK_PIXEL_FORMAT_RGB8;
    uint32_t frames_ahead = 0;
    uint32_t frames_lent = 0;
    uint32_t buffer_seconds = 0;
    uint32_t preload_limit_mib = 0;
};

/// One talking face.
class Avatar {
  public:
    /// Begins the next utterance; its number.
    Result<uint64_t> begin() {
        detail::Trouble trouble;
        uint64_t utterance = 0;
        const Status status = musetalk_avatar_begin(_raw.get(), &utterance, trouble);
        if (status != MUSETALK_STATUS_OK) return trouble.taken(status);
        return utterance;
    }
    /// Appends mono samples: all of them, or on an error none. Never blocks, never allocates when it succeeds.
    Result<void> push(const float* samples, size_t count) {
        detail::Trouble trouble;
        return detail::outcome(musetalk_avatar_push(_raw.get(), samples, count, trouble), trouble);
    }
    /// The same with 16 bits.
    Result<void> push(const int16_t* samples, size_t count) {
        detail::Trouble trouble;
        return detail::outcome(musetalk_avatar_push_i16(_raw.get(), samples, count, trouble), trouble);
    }
    /// Anything contiguous: std::vector, std::array, std::span.
    template <typename Samples, typename = decltype(std::declval<const Samples&>().data())>
    Result<void> push(const Samples& samples) {
        return push(samples.data(), samples.size());
    }
    /// Ends the utterance: every frame still owed is made.
    Result<void> finish() {
        detail::Trouble trouble;
        return detail::outcome(musetalk_avatar_finish(_raw.get(), trouble), trouble);
    }

    /// Barge-in, from any thread: cuts everything pushed so far; the last utterance that this cut, or 0.
    Result<uint64_t> interrupt() const {
        detail::Trouble trouble;
        uint64_t cut = 0;
        const Status status = musetalk_avatar_interrupt(_raw.get(), &cut, trouble);
        if (status != MUSETALK_STATUS_OK) return trouble.taken(status);
        return cut;
    }
    /// Cuts this utterance and all before it, and never touches a later one.
    Result<void> interrupt_through(uint64_t utterance) const {
        detail::Trouble trouble;
        return detail::outcome(musetalk_avatar_interrupt_through(_raw.get(), utterance, trouble), trouble);
    }
    /// Has `woken` called, once at once and then whenever next_frame may have something new; empty for none. It comes from a thread of the library or
    /// from a call of yours: it may only wake who reads, call nothing of musetalk, and must not throw.
    /// The same holds for the end of what it captures: that must own nothing of musetalk, no Frame and no Avatar, which could not be given back there.
    Result<void> set_wake(std::function<void()> woken) const {
        return detail::set_wake<musetalk_avatar>(musetalk_avatar_set_wake, _raw.get(), std::move(woken));
    }
    /// Ends the session for good, from any thread: a waiting reader wakes with CLOSED.
    Result<void> close() const {
        detail::Trouble trouble;
        return detail::outcome(musetalk_avatar_close(_raw.get(), trouble), trouble);
    }

    /// Up to where the next utterance has its frames; empty until its sound may start.
    Result<std::optional<Heard>> ready() {
        detail::Trouble trouble;
        Heard heard{};
        const Status status = musetalk_avatar_ready(_raw.get(), &heard, trouble);
        if (status == MUSETALK_STATUS_OK) return std::optional<Heard>(heard);
        if (status == MUSETALK_STATUS_NO_FRAME) return std::optional<Heard>();
        return trouble.taken(status);
    }
    /// Waits for the next speech frame; empty once at the end of every utterance. For recording. TIMED_OUT after `timeout`.
    Result<std::optional<Frame>> next_frame(std::optional<Nanoseconds> timeout = std::nullopt) {
        return acquire([&](musetalk_frame* frame, musetalk_error* error) {
            return musetalk_avatar_acquire_next(_raw.get(), detail::timeout_of(timeout), frame, error);
        });
    }
    /// The newest picture due; empty if the one on screen is still right. Never waits.
    Result<std::optional<Frame>> latest_at(std::optional<Heard> heard) {
        return acquire([&](musetalk_frame* frame, musetalk_error* error) {
            return musetalk_avatar_acquire_latest(_raw.get(), heard ? &*heard : nullptr, frame, error);
        });
    }
    /// The picture of the next frame period with exactly its samples. Never waits.
    Result<Frame> paced() {
        auto frame = acquire([&](musetalk_frame* raw, musetalk_error* error) {
            return musetalk_avatar_acquire_paced(_raw.get(), raw, error);
        });
        if (!frame) return frame.error();
        return std::move(*frame.value());
    }

    /// What it is; all zero for an empty one.
    musetalk_avatar_description describe() const {
        auto description = detail::sized<musetalk_avatar_description>();
        musetalk_avatar_describe(_raw.get(), &description, nullptr);
        return description;
    }
    /// What it has done so far; all zero for an empty one.
    musetalk_stats stats() const {
        auto stats = detail::sized<musetalk_stats>();
        musetalk_avatar_stats(_raw.get(), &stats, nullptr);
        return stats;
    }
    /// Copies a base frame in the avatar's format; pixel_bytes is width * height * 3 or 4.
    Result<void> base_frame(uint32_t cycle_index, uint8_t* pixels, size_t pixel_bytes) const {
        detail::Trouble trouble;
        return detail::outcome(musetalk_avatar_base_frame(_raw.get(), cycle_index, pixels, pixel_bytes, trouble), trouble);
    }
    /// A clip by its number, below describe().clip_count; all zero beyond.
    musetalk_clip clip(uint32_t clip_index) const {
        auto clip = detail::sized<musetalk_clip>();
        musetalk_avatar_clip(_raw.get(), clip_index, &clip, nullptr);
        return clip;
    }
    /// Asks for the clip of this name, at the next natural cut. From any thread.
    Result<void> request_clip(const char* name) const {
        detail::Trouble trouble;
        return detail::outcome(musetalk_avatar_request_clip(_raw.get(), name, trouble), trouble);
    }
    /// As C knows it.
    musetalk_avatar* raw() const { return _raw.get(); }

  private:
    friend class Engine;
    explicit Avatar(musetalk_avatar* raw) : _raw(raw) {}

    template <typename Read>
    Result<std::optional<Frame>> acquire(Read read) {
        detail::Trouble trouble;
        auto raw = detail::sized<musetalk_frame>();
        const Status status = read(&raw, trouble);
        if (status == MUSETALK_STATUS_OK) return std::optional<Frame>(Frame(raw));
        if (status < MUSETALK_STATUS_INVALID_INPUT) return std::optional<Frame>();
        return trouble.taken(status);
    }
    std::unique_ptr<musetalk_avatar, detail::Deleter<musetalk_avatar_free>> _raw;
};

/// How to load an engine. Zero and empty are the defaults.
struct EngineOptions {
    Device device = MUSETALK_DEVICE_AUTO;
    uint32_t device_ordinal = 0;
    uint32_t threads = 0;
    bool spinning = false;
    uint32_t max_batch = 0;
    /// The ONNX Runtime library, or its folder.
    std::string runtime_path;
};

/// A model pack on one device. Share one between all avatars; everything it does is for any thread.
class Engine {
  public:
    /// Reads, checks and warms up a pack. Takes as long as reading its files.
    static Result<Engine> load(const std::string& pack, const EngineOptions& options = EngineOptions()) {
        auto raw_options = detail::sized<musetalk_engine_options>();
        raw_options.pack_path = pack.c_str();
        raw_options.runtime_path = options.runtime_path.c_str();
        raw_options.device = options.device;
        raw_options.device_ordinal = options.device_ordinal;
        raw_options.threads = options.threads;
        raw_options.spinning = options.spinning ? 1 : 0;
        raw_options.max_batch = options.max_batch;
        detail::Trouble trouble;
        musetalk_engine* raw = nullptr;
        const Status status = musetalk_engine_load(&raw_options, &raw, trouble);
        if (status != MUSETALK_STATUS_OK) return trouble.taken(status);
        return Engine(raw);
    }
    /// Opens a prepared avatar. It keeps what it needs of the engine.
    Result<Avatar> open_avatar(const std::string& asset, const AvatarOptions& options = AvatarOptions()) const {
        auto raw_options = detail::sized<musetalk_avatar_options>();
        raw_options.sample_rate = options.sample_rate;
        raw_options.format = options.format;
        raw_options.frames_ahead = options.frames_ahead;
        raw_options.frames_lent = options.frames_lent;
        raw_options.buffer_seconds = options.buffer_seconds;
        raw_options.preload_limit_mib = options.preload_limit_mib;
        detail::Trouble trouble;
        musetalk_avatar* raw = nullptr;
        const Status status = musetalk_avatar_open(_raw.get(), asset.c_str(), &raw_options, &raw, trouble);
        if (status != MUSETALK_STATUS_OK) return trouble.taken(status);
        return Avatar(raw);
    }
    /// What it is; its text lives as long as the engine. All zero for an empty one.
    musetalk_engine_description describe() const {
        auto description = detail::sized<musetalk_engine_description>();
        musetalk_engine_describe(_raw.get(), &description, nullptr);
        return description;
    }
    /// As C knows it.
    musetalk_engine* raw() const { return _raw.get(); }

  private:
    explicit Engine(musetalk_engine* raw) : _raw(raw) {}
    std::unique_ptr<musetalk_engine, detail::Deleter<musetalk_engine_free>> _raw;
};

/// One thing that happened in a conversation; the destructor gives it back, on any thread.
class Event {
  public:
    Event(Event&& other) noexcept : _raw(std::exchange(other._raw, empty())) {}
    /// Gives back at once what it held.
    Event& operator=(Event&& other) noexcept {
        if (this != &other) {
            musetalk_event_release(&_raw);
            _raw = std::exchange(other._raw, empty());
        }
        return *this;
    }
    Event(const Event&) = delete;
    Event& operator=(const Event&) = delete;
    ~Event() { musetalk_event_release(&_raw); }

    /// Pass over one that your header does not name.
    musetalk_event_kind kind() const { return static_cast<musetalk_event_kind>(_raw.kind); }
    /// OK where nothing went wrong; else text() says what.
    Status status() const { return static_cast<Status>(_raw.status); }
    uint32_t value() const { return _raw.value; }
    uint64_t answer() const { return _raw.answer; }
    uint64_t utterance() const { return _raw.utterance; }
    const int16_t* samples() const { return _raw.samples; }
    size_t sample_count() const { return _raw.sample_count; }
    const char* text() const { return _raw.text; }
    const char* id() const { return _raw.id; }
    const char* name() const { return _raw.name; }
    const char* label() const { return _raw.label; }

  private:
    friend class Conversation;
    explicit Event(const musetalk_event& raw) : _raw(raw) {}
    static musetalk_event empty() {
        auto raw = detail::sized<musetalk_event>();
        raw.text = raw.id = raw.name = raw.label = "";
        return raw;
    }
    musetalk_event _raw;
};

/// How to hold a conversation. Empty and zero are the defaults.
struct ConversationOptions {
    std::string provider, key, model, voice, instructions, tools_json, transcription_model, transcription_language;
    musetalk_turn_detection turn_detection = MUSETALK_TURN_DETECTION_SERVERS_OWN;
    bool without_audio = false;
};

/// A live conversation. Reading its events is one end; everything else is for any thread.
class Conversation {
  public:
    /// Begins to connect, and returns at once.
    static Result<Conversation> start(const ConversationOptions& options) { return start(options, nullptr); }
    /// The same, with an avatar that speaks the answers.
    static Result<Conversation> start(const ConversationOptions& options, const Avatar& avatar) {
        return start(options, avatar.raw());
    }

    /// What happened next; empty when the conversation is over. TIMED_OUT after `timeout`.
    Result<std::optional<Event>> next_event(std::optional<Nanoseconds> timeout = std::nullopt) {
        detail::Trouble trouble;
        auto raw = detail::sized<musetalk_event>();
        const Status status =
            musetalk_conversation_acquire_event(_raw.get(), detail::timeout_of(timeout), &raw, trouble);
        if (status == MUSETALK_STATUS_OK) return std::optional<Event>(Event(raw));
        if (status < MUSETALK_STATUS_INVALID_INPUT) return std::optional<Event>();
        return trouble.taken(status);
    }
    /// The person's voice at input_rate; how many samples were dropped.
    Result<uint64_t> push(const float* samples, size_t count) const {
        detail::Trouble trouble;
        uint64_t dropped = 0;
        const Status status = musetalk_conversation_push(_raw.get(), samples, count, &dropped, trouble);
        if (status != MUSETALK_STATUS_OK) return trouble.taken(status);
        return dropped;
    }
    Result<uint64_t> push(const int16_t* samples, size_t count) const {
        detail::Trouble trouble;
        uint64_t dropped = 0;
        const Status status = musetalk_conversation_push_i16(_raw.get(), samples, count, &dropped, trouble);
        if (status != MUSETALK_STATUS_OK) return trouble.taken(status);
        return dropped;
    }
    Result<void> send_text(const std::string& text) const {
        detail::Trouble trouble;
        return detail::outcome(musetalk_conversation_send_text(_raw.get(), text.c_str(), trouble), trouble);
    }
    /// A PNG or JPEG file.
    Result<void> send_image(const uint8_t* file, size_t bytes, const std::string& text = std::string()) const {
        detail::Trouble trouble;
        return detail::outcome(
            musetalk_conversation_send_image(_raw.get(), file, bytes, text.c_str(), trouble), trouble);
    }
    /// A frame of a camera: RGB, rows from top to bottom without gaps.
    Result<void> send_pixels(const uint8_t* rgb, uint32_t width, uint32_t height,
                             const std::string& text = std::string()) const {
        detail::Trouble trouble;
        return detail::outcome(
            musetalk_conversation_send_pixels(_raw.get(), rgb, width, height, text.c_str(), trouble), trouble);
    }
    /// Push to talk, key down.
    Result<void> talk_press() const { return call(musetalk_conversation_talk_press); }
    /// Push to talk, key up: the turn is committed.
    Result<void> talk_release() const { return call(musetalk_conversation_talk_release); }
    /// Cuts what is being made and what sounds.
    Result<void> interrupt() const { return call(musetalk_conversation_interrupt); }
    /// What has left the loudspeaker: the value that latest_at is given.
    Result<void> heard(const Heard& heard) const {
        detail::Trouble trouble;
        return detail::outcome(musetalk_conversation_heard(_raw.get(), &heard, trouble), trouble);
    }
    /// An answer's number in Heard; 0 while the avatar has not begun it.
    uint64_t utterance(uint64_t answer) const {
        uint64_t utterance = 0;
        musetalk_conversation_utterance(_raw.get(), answer, &utterance, nullptr);
        return utterance;
    }
    Result<void> tool_output(const std::string& call_id, const std::string& output, bool silent = false) const {
        detail::Trouble trouble;
        return detail::outcome(musetalk_conversation_tool_output(_raw.get(), call_id.c_str(), output.c_str(),
                                                                 silent ? 1 : 0, trouble),
                               trouble);
    }
    Result<void> approve(const std::string& request_id, bool approve, const std::string& reason = std::string()) const {
        detail::Trouble trouble;
        return detail::outcome(musetalk_conversation_approve(_raw.get(), request_id.c_str(), approve ? 1 : 0,
                                                             reason.c_str(), trouble),
                               trouble);
    }
    /// Asks for an answer although nobody spoke.
    Result<void> respond(const std::string& instructions = std::string()) const {
        detail::Trouble trouble;
        return detail::outcome(musetalk_conversation_respond(_raw.get(), instructions.c_str(), trouble), trouble);
    }
    /// Changes who the model is.
    Result<void> instruct(const std::string& instructions) const {
        detail::Trouble trouble;
        return detail::outcome(musetalk_conversation_instruct(_raw.get(), instructions.c_str(), trouble), trouble);
    }
    /// Has `woken` called whenever next_event may have something new; see Avatar::set_wake.
    Result<void> set_wake(std::function<void()> woken) const {
        return detail::set_wake<musetalk_conversation>(musetalk_conversation_set_wake, _raw.get(), std::move(woken));
    }
    /// Ends the session; a waiting reader wakes.
    Result<void> close() const { return call(musetalk_conversation_close); }
    /// What it is doing; all zero for an empty one.
    musetalk_conversation_description describe() const {
        auto description = detail::sized<musetalk_conversation_description>();
        musetalk_conversation_describe(_raw.get(), &description, nullptr);
        return description;
    }
    /// As C knows it.
    musetalk_conversation* raw() const { return _raw.get(); }

  private:
    explicit Conversation(musetalk_conversation* raw) : _raw(raw) {}

    static Result<Conversation> start(const ConversationOptions& options, const musetalk_avatar* avatar) {
        auto raw_options = detail::sized<musetalk_conversation_options>();
        raw_options.avatar = avatar;
        raw_options.provider = options.provider.c_str();
        raw_options.key = options.key.c_str();
        raw_options.model = options.model.c_str();
        raw_options.voice = options.voice.c_str();
        raw_options.instructions = options.instructions.c_str();
        raw_options.tools_json = options.tools_json.c_str();
        raw_options.transcription_model = options.transcription_model.c_str();
        raw_options.transcription_language = options.transcription_language.c_str();
        raw_options.turn_detection = options.turn_detection;
        raw_options.without_audio = options.without_audio ? 1 : 0;
        detail::Trouble trouble;
        musetalk_conversation* raw = nullptr;
        const Status status = musetalk_conversation_start(&raw_options, &raw, trouble);
        if (status != MUSETALK_STATUS_OK) return trouble.taken(status);
        return Conversation(raw);
    }
    Result<void> call(musetalk_status (*ask)(const musetalk_conversation*, musetalk_error*)) const {
        detail::Trouble trouble;
        return detail::outcome(ask(_raw.get(), trouble), trouble);
    }
    std::unique_ptr<musetalk_conversation, detail::Deleter<musetalk_conversation_free>> _raw;
};

/// Has the library's log given to `listen(level, target, message)`, from any thread; an empty one ends it. It must not throw.
inline Result<void> set_log(musetalk_log_level level,
                            std::function<void(musetalk_log_level, const char*, const char*)> listen) {
    using Listener = decltype(listen);
    detail::Trouble trouble;
    if (!listen) return detail::outcome(musetalk_log_set(MUSETALK_LOG_LEVEL_OFF, nullptr, nullptr, nullptr, trouble), trouble);
    const auto callback = [](void* data, uint32_t of, const char* target, const char* message) {
        (*static_cast<Listener*>(data))(static_cast<musetalk_log_level>(of), target, message);
    };
    const auto finalizer = [](void* data) { delete static_cast<Listener*>(data); };
    auto* owned = new Listener(std::move(listen));
    return detail::outcome(musetalk_log_set(level, callback, owned, finalizer, trouble), trouble);
}

/// One line of the log.
using LogLine = musetalk_log_line;

/// Has the library's log kept for read_log, instead of where it went before: for programs into which no thread of the library may call. What
/// read_log is to be given.
inline Result<uint64_t> keep_log(musetalk_log_level level) {
    detail::Trouble trouble;
    uint64_t log = 0;
    const Status status = musetalk_log_keep(level, &log, trouble);
    if (status != MUSETALK_STATUS_OK) return trouble.taken(status);
    return log;
}

/// Takes the oldest line that was kept. TIMED_OUT: there is none. CLOSED: this log is not kept any more.
inline Result<LogLine> read_log(uint64_t log, std::optional<Nanoseconds> timeout = std::nullopt) {
    detail::Trouble trouble;
    auto line = detail::sized<LogLine>();
    const Status status = musetalk_log_read(log, detail::timeout_of(timeout), &line, trouble);
    if (status != MUSETALK_STATUS_OK) return trouble.taken(status);
    return line;
}

}  // namespace musetalk

#endif  // MUSETALK_HPP
