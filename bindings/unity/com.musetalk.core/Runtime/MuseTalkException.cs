using System;

namespace MuseTalk
{
    /// <summary>A call to the library that failed: what to do is told by its class, or by <see cref="Status"/>; what is wrong by its message.
    /// A failure that a newer library knows and this assembly does not is of this class itself.</summary>
    public class MuseTalkException : Exception
    {
        /// <summary>What the call came to.</summary>
        public Status Status { get; }

        internal MuseTalkException(Status status, string message, Exception cause = null) : base(message, cause)
        {
            Status = status;
        }

        /// The one table: status to class.
        internal static MuseTalkException Of(Status status, string message)
        {
            switch (status)
            {
                case Status.InvalidInput: return new InvalidInputException(message);
                case Status.NotFound: return new NotFoundException(message);
                case Status.Corrupt: return new CorruptException(message);
                case Status.Incompatible: return new IncompatibleException(message);
                case Status.Unsupported: return new UnsupportedException(message);
                case Status.BufferFull: return new BufferFullException(message);
                case Status.Interrupted: return new InterruptedException(message);
                case Status.Cancelled: return new CancelledException(message);
                case Status.TimedOut: return new TimedOutException(message);
                case Status.Io: return new IoException(message);
                case Status.DeviceUnavailable: return new DeviceUnavailableException(message);
                case Status.OutOfMemory: return new MemoryExhaustedException(message);
                case Status.Closed: return new ClosedException(message);
                case Status.Unauthorized: return new UnauthorizedException(message);
                case Status.Quota: return new QuotaException(message);
                case Status.Untrusted: return new UntrustedException(message);
                case Status.Busy: return new BusyException(message);
                case Status.Refused: return new RefusedException(message);
                case Status.Network: return new NetworkException(message);
                case Status.Internal: return new InternalException(message);
                default: return new MuseTalkException(status, message);
            }
        }
    }

    /// <summary>An argument is out of range or malformed, or two threads are in one end. Fix the call.</summary>
    public sealed class InvalidInputException : MuseTalkException
    {
        internal InvalidInputException(string message) : base(Status.InvalidInput, message) { }
    }

    /// <summary>A pack, an asset, a library, a model or a file does not exist. The message names the places looked at.</summary>
    public sealed class NotFoundException : MuseTalkException
    {
        internal NotFoundException(string message, Exception cause = null) : base(Status.NotFound, message, cause) { }
    }

    /// <summary>A file is damaged. Fetch or build it again.</summary>
    public sealed class CorruptException : MuseTalkException
    {
        internal CorruptException(string message) : base(Status.Corrupt, message) { }
    }

    /// <summary>Two sound things do not fit together: an avatar made for another pack, a library of another version.</summary>
    public sealed class IncompatibleException : MuseTalkException
    {
        internal IncompatibleException(string message) : base(Status.Incompatible, message) { }
    }

    /// <summary>This build, this file or this server cannot do what was asked.</summary>
    public sealed class UnsupportedException : MuseTalkException
    {
        internal UnsupportedException(string message) : base(Status.Unsupported, message) { }
    }

    /// <summary>No room is left; nothing was taken. Retry after frames were read or given back.</summary>
    public sealed class BufferFullException : MuseTalkException
    {
        internal BufferFullException(string message) : base(Status.BufferFull, message) { }
    }

    /// <summary>The utterance was cut. Begin the next one before pushing again.</summary>
    public sealed class InterruptedException : MuseTalkException
    {
        internal InterruptedException(string message) : base(Status.Interrupted, message) { }
    }

    /// <summary>The caller cancelled the operation.</summary>
    public sealed class CancelledException : MuseTalkException
    {
        internal CancelledException(string message) : base(Status.Cancelled, message) { }
    }

    /// <summary>The time given has passed. Nothing is lost; call again.</summary>
    public sealed class TimedOutException : MuseTalkException
    {
        internal TimedOutException(string message) : base(Status.TimedOut, message) { }
    }

    /// <summary>Reading or writing a file failed.</summary>
    public sealed class IoException : MuseTalkException
    {
        internal IoException(string message) : base(Status.Io, message) { }
    }

    /// <summary>The requested device could not be started. Another may work.</summary>
    public sealed class DeviceUnavailableException : MuseTalkException
    {
        internal DeviceUnavailableException(string message) : base(Status.DeviceUnavailable, message) { }
    }

    /// <summary>Host or device memory is exhausted. Named so that it is not taken for the runtime's own.</summary>
    public sealed class MemoryExhaustedException : MuseTalkException
    {
        internal MemoryExhaustedException(string message) : base(Status.OutOfMemory, message) { }
    }

    /// <summary>The session is over. Open another.</summary>
    public sealed class ClosedException : MuseTalkException
    {
        internal ClosedException(string message) : base(Status.Closed, message) { }
    }

    /// <summary>The key is missing, wrong, or may not do this.</summary>
    public sealed class UnauthorizedException : MuseTalkException
    {
        internal UnauthorizedException(string message) : base(Status.Unauthorized, message) { }
    }

    /// <summary>The account has no quota left. Waiting does not help.</summary>
    public sealed class QuotaException : MuseTalkException
    {
        internal QuotaException(string message) : base(Status.Quota, message) { }
    }

    /// <summary>The other end is not who it should be.</summary>
    public sealed class UntrustedException : MuseTalkException
    {
        internal UntrustedException(string message) : base(Status.Untrusted, message) { }
    }

    /// <summary>Too many requests. Retry after a pause.</summary>
    public sealed class BusyException : MuseTalkException
    {
        internal BusyException(string message) : base(Status.Busy, message) { }
    }

    /// <summary>The server refused something; the message is its own.</summary>
    public sealed class RefusedException : MuseTalkException
    {
        internal RefusedException(string message) : base(Status.Refused, message) { }
    }

    /// <summary>The network failed.</summary>
    public sealed class NetworkException : MuseTalkException
    {
        internal NetworkException(string message) : base(Status.Network, message) { }
    }

    /// <summary>A bug in the library. The object can still be disposed of. Please report the message.</summary>
    public sealed class InternalException : MuseTalkException
    {
        internal InternalException(string message) : base(Status.Internal, message) { }
    }
}
