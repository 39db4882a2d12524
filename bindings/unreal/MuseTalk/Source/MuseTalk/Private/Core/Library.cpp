#include "Core/Library.h"

#include <cstring>

namespace MuseTalk {

namespace {

// From an object pointer to a function pointer, as every loader of symbols needs it.
template <typename Function>
bool Assign(Function& function, void* address) {
    static_assert(sizeof function == sizeof address, "functions and data have addresses of one size");
    std::memcpy(&function, &address, sizeof address);
    return address != nullptr;
}

}  // namespace

std::string Bind(Library& library, FindSymbol find, void* context) {
    library = Library{};
    if (!Assign(library.abi_version, find(context, "musetalk_abi_version"))) {
        return "the file is no MuseTalk library: it has no musetalk_abi_version";
    }
    // Before anything else: of a library of another interface nothing may be called.
    const uint32_t theirs = library.abi_version();
    if (theirs != MUSETALK_ABI_VERSION) {
        library = Library{};
        return "the library has interface " + std::to_string(theirs) + ", this plugin needs " +
               std::to_string(MUSETALK_ABI_VERSION) + ": take both from the same release";
    }
    const char* missing = nullptr;
#define MUSETALK_FIND(name)                                                   \
    if (!Assign(library.name, find(context, "musetalk_" #name)) && !missing)  \
        missing = "musetalk_" #name;
    MUSETALK_FUNCTIONS(MUSETALK_FIND)
#undef MUSETALK_FIND
    if (missing) {
        library = Library{};
        return std::string("the library lacks ") + missing + ": it is older than this plugin, take both from the same release";
    }
    return {};
}

}  // namespace MuseTalk
