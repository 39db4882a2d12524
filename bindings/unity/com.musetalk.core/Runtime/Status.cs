namespace MuseTalk
{
    /// <summary>What a call came to. 0 is success, 1 to 15 are answers that are no failure, 16 and above are failures, each with an
    /// exception of its own. Equal to <c>musetalk_status</c>; values never change their meaning.</summary>
    public enum Status : uint
    {
        /// <summary>It worked.</summary>
        Ok = 0,
        /// <summary>Nothing new is due.</summary>
        NoFrame = 1,
        /// <summary>An utterance has ended, or was cut, and every frame of it was read.</summary>
        EndOfUtterance = 2,
        /// <summary>The conversation is over and all its events were read.</summary>
        EndOfConversation = 3,
        /// <summary>An argument is out of range or malformed, or two threads are in one end. Fix the call.</summary>
        InvalidInput = 16,
        /// <summary>A pack, an asset, a library, a model or a file does not exist. The message names the places looked at.</summary>
        NotFound = 17,
        /// <summary>A file is damaged. Fetch or build it again.</summary>
        Corrupt = 18,
        /// <summary>Two sound things do not fit together.</summary>
        Incompatible = 19,
        /// <summary>This build, this file or this server cannot do what was asked.</summary>
        Unsupported = 20,
        /// <summary>No room is left; nothing was taken. Retry after frames were read or given back.</summary>
        BufferFull = 21,
        /// <summary>The utterance was cut. Begin the next one before pushing again.</summary>
        Interrupted = 22,
        /// <summary>The caller cancelled the operation.</summary>
        Cancelled = 23,
        /// <summary>The time given has passed. Nothing is lost; call again.</summary>
        TimedOut = 24,
        /// <summary>Reading or writing a file failed.</summary>
        Io = 25,
        /// <summary>The requested device could not be started. Another may work.</summary>
        DeviceUnavailable = 26,
        /// <summary>Host or device memory is exhausted.</summary>
        OutOfMemory = 27,
        /// <summary>The session is over. Open another.</summary>
        Closed = 28,
        /// <summary>The key is missing, wrong, or may not do this.</summary>
        Unauthorized = 48,
        /// <summary>The account has no quota left. Waiting does not help.</summary>
        Quota = 49,
        /// <summary>The other end is not who it should be.</summary>
        Untrusted = 50,
        /// <summary>Too many requests. Retry after a pause.</summary>
        Busy = 51,
        /// <summary>The server refused something; the message is its own.</summary>
        Refused = 52,
        /// <summary>The network failed.</summary>
        Network = 53,
        /// <summary>A bug in the library. Please report the message.</summary>
        Internal = 255,
    }
}
