// Start and end of the module.
#include "Modules/ModuleManager.h"
#include "MuseTalkNative.h"
#include "RenderingThread.h"

class FMuseTalkModule : public IModuleInterface
{
public:
    virtual void StartupModule() override
    {
        MuseTalkNative::Start();
    }

    virtual void ShutdownModule() override
    {
        // Uploads that are on their way hold pictures, and give them back through this module's code.
        FlushRenderingCommands();
        MuseTalkNative::Stop();
    }
};

IMPLEMENT_MODULE(FMuseTalkModule, MuseTalk)
