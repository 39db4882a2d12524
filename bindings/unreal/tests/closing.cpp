// The end of a conversation, as its component tells it: the component itself, over bodies for as much of the engine as that takes. Nothing else of what
// the component needs is there, nor called.
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <vector>

#include "Unreal.h"

#include "Core/Conversation.h"
#include "MuseTalkTypes.h"

#define private public
#include "MuseTalkConversationComponent.h"
#undef private

namespace {

struct Told {
    const void* delegate;
    EMuseTalkStatus status;
};
std::vector<Told> told;
/// What a game does when it is told.
std::function<void(const void*)> listener;

EMuseTalkStatus StatusOf() {
    return EMuseTalkStatus::Ok;
}
template <typename... More>
EMuseTalkStatus StatusOf(EMuseTalkStatus status, const More&...) {
    return status;
}
template <typename... Other>
EMuseTalkStatus StatusOf(const Other&...) {
    return EMuseTalkStatus::Ok;
}

}

template <typename... Arguments>
void TStubDynamicDelegate<Arguments...>::Broadcast(Arguments... arguments) const {
    told.push_back({this, StatusOf(arguments...)});
    if (listener) {
        listener(this);
    }
}
template <typename T>
TWeakObjectPtr<T>::TWeakObjectPtr(T*) {}
template <typename T>
T* TWeakObjectPtr<T>::Get() const {
    return nullptr;
}
template <typename T, ESPMode Mode>
void TSharedPtr<T, Mode>::Reset() {}
FString::FString(const TCHAR*) {}
void UObject::BeginDestroy() {}
UActorComponent::UActorComponent(const FObjectInitializer&) {}
UWorld* UActorComponent::GetWorld() const {
    return nullptr;
}
void UActorComponent::BeginPlay() {}
void UActorComponent::EndPlay(const EEndPlayReason::Type) {}
void UActorComponent::TickComponent(float, ELevelTick, FActorComponentTickFunction*) {}
void UActorComponent::DestroyComponent(bool) {}

#include "MuseTalkConversationComponent.cpp"

namespace {

void That(bool holds, const char* sentence) {
    if (!holds) {
        std::fprintf(stderr, "not so: %s\n", sentence);
        std::exit(1);
    }
}

/// A component with a conversation that nobody looks into.
UMuseTalkConversationComponent& Open() {
    static int conversation;
    // Never destroyed: the engine would do that.
    auto* component = new UMuseTalkConversationComponent(FObjectInitializer());
    component->Conversation = {std::shared_ptr<void>(), reinterpret_cast<MuseTalk::Conversation*>(&conversation)};
    told.clear();
    listener = nullptr;
    return *component;
}

/// How often the end was told, and always with this status.
size_t Ends(const UMuseTalkConversationComponent& component, EMuseTalkStatus status = EMuseTalkStatus::Ok) {
    size_t count = 0;
    for (const Told& one : told) {
        if (one.delegate == &component.OnClosed) {
            That(one.status == status, "the status of an end");
            count++;
        }
    }
    return count;
}

}

int main() {
    {
        auto& talk = Open();
        talk.Close();
        That(!talk.IsOpen() && Ends(talk) == 1, "Close tells it");
        talk.Close();
        That(Ends(talk) == 1, "once");
        talk.bWaitsForFace = true;
        talk.Close();
        That(!talk.IsOpen() && Ends(talk) == 2, "one that waits for its face has an end too");
    }
    {
        auto& talk = Open();
        talk.EndPlay(EEndPlayReason::Type());
        That(!talk.IsOpen() && Ends(talk) == 1, "the end of play tells it");
        talk.BeginDestroy();
        That(Ends(talk) == 1, "once");
    }
    {
        auto& talk = Open();
        talk.BeginDestroy();
        That(!talk.IsOpen() && told.empty(), "nobody is told during a collection of garbage");
    }
    {
        // The server ends it, and whoever hears of it closes it.
        auto& talk = Open();
        listener = [&](const void*) { talk.Close(); };
        FMuseTalkEvent event;
        event.Kind = EMuseTalkEventKind::Closed;
        event.Status = EMuseTalkStatus::Closed;
        talk.Tell(event);
        That(!talk.IsOpen() && Ends(talk, EMuseTalkStatus::Closed) == 1, "an end that came by itself is told once, with its status");
    }
    {
        // Whoever hears of the end connects again, inside a Connect.
        auto& talk = Open();
        listener = [&](const void*) { talk.bWaitsForFace = true; };
        That(talk.ConnectWith(nullptr) == EMuseTalkStatus::Ok, "that is no error");
        That(talk.IsOpen() && Ends(talk) == 1, "the listener's conversation stays");
    }
}
