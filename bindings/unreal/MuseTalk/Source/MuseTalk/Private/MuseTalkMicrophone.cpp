#include "MuseTalkMicrophone.h"

namespace
{
/** Longer than a level takes to load, as a rule; what is older than that nobody waits for. */
constexpr double MuseTalkMicrophoneSeconds = 10.0;
constexpr uint32 MuseTalkMicrophoneFrames = 480;
}

bool FMuseTalkMicrophone::Start(uint32 Rate)
{
    Audio::FCaptureDeviceInfo Device;
    if (!Capture.GetCaptureDeviceInfo(Device) || Device.PreferredSampleRate <= 0)
    {
        return false;
    }
    Tap = std::make_shared<MuseTalk::Tap>(static_cast<uint32>(Device.PreferredSampleRate), Rate, MuseTalkMicrophoneSeconds);
    Audio::FAudioCaptureDeviceParams Params;
    Params.NumInputChannels = Device.InputChannels;
    Params.SampleRate = Device.PreferredSampleRate;
    // Where the system can take the loudspeaker's sound out again; elsewhere headphones do it.
    Params.bUseHardwareAEC = true;
    // The thread of the capture outlives nothing of ours: the tap is its own.
    Audio::FOnAudioCaptureFunction OnCapture = [Heard = Tap](const void* Samples, int32 NumFrames, int32 NumChannels, int32 SampleRate, double, bool) {
        if (NumFrames > 0 && NumChannels > 0)
        {
            Heard->Take(static_cast<const float*>(Samples), static_cast<size_t>(NumFrames), static_cast<uint32>(NumChannels),
                        static_cast<uint32>(SampleRate));
        }
    };
    return Capture.OpenAudioCaptureStream(Params, MoveTemp(OnCapture), MuseTalkMicrophoneFrames) && Capture.StartStream();
}

FMuseTalkMicrophone::~FMuseTalkMicrophone()
{
    if (Tap)
    {
        Tap->Stop();
    }
    if (Capture.IsStreamOpen())
    {
        Capture.StopStream();
        Capture.CloseStream();
    }
}
