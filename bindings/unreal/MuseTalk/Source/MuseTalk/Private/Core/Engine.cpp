#include "Core/Engine.h"

namespace MuseTalk {

Outcome Engine::Load(const Library& library, const EngineOptions& options, std::shared_ptr<Engine>& engine_out) {
    musetalk_error error{};
    musetalk_engine_options asked{};
    asked.struct_size = sizeof asked;
    asked.pack_path = options.pack.c_str();
    asked.runtime_path = options.runtime.empty() ? nullptr : options.runtime.c_str();
    asked.device = options.device;
    asked.device_ordinal = options.device_ordinal;
    asked.threads = options.threads;
    musetalk_engine* engine = nullptr;
    const musetalk_status status = library.engine_load(&asked, &engine, &error);
    if (status != MUSETALK_STATUS_OK) return Told(status, error);
    engine_out.reset(new Engine(library, engine));
    return {};
}

std::string Engine::Describe() const {
    musetalk_engine_description about{};
    about.struct_size = sizeof about;
    if (Api.engine_describe(Raw, &about, nullptr) != MUSETALK_STATUS_OK) return {};
    static const char* const Devices[] = {"automatic", "CPU", "CUDA", "DirectML", "Core ML", "OpenVINO"};
    const char* device = about.device < 6 ? Devices[about.device] : "another device";
    return std::string("pack ") + about.pack_name + " on " + device + " " + std::to_string(about.device_ordinal) +
           ", ONNX Runtime " + about.runtime_version + " from " + about.runtime_path;
}

}  // namespace MuseTalk
