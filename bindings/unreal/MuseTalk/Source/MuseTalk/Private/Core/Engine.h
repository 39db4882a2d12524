// A pack on a device. Heavy; one for all faces.
#pragma once

#include <memory>
#include <string>

#include "Core/Library.h"
#include "Core/Status.h"

namespace MuseTalk {

struct EngineOptions {
    /// Folder of the pack, UTF-8.
    std::string pack;
    /// ONNX Runtime's library or its folder; empty: where the library looks by itself.
    std::string runtime;
    uint32_t device = MUSETALK_DEVICE_AUTO;
    uint32_t device_ordinal = 0;
    uint32_t threads = 0;
};

/// Freed with the last who holds it; avatars keep a share of their own.
class Engine {
  public:
    /// Reads and warms up a pack: seconds. For any thread but the game's.
    static Outcome Load(const Library& library, const EngineOptions& options, std::shared_ptr<Engine>& engine_out);
    ~Engine() { Api.engine_free(Raw); }
    Engine(const Engine&) = delete;
    Engine& operator=(const Engine&) = delete;

    const Library& Functions() const { return Api; }
    const musetalk_engine* Get() const { return Raw; }
    /// The device and the runtime, in words.
    std::string Describe() const;

  private:
    Engine(const Library& library, musetalk_engine* engine) : Api(library), Raw(engine) {}

    const Library& Api;
    musetalk_engine* Raw;
};

}  // namespace MuseTalk
