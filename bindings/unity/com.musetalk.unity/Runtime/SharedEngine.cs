using System;
using System.Collections.Generic;
using System.Threading.Tasks;

namespace MuseTalk.Unity
{
    /// Engines by what they were loaded with: every face of a pack shares one. Loaded away from the main thread; freed when the last user has
    /// left. For the main thread.
    internal sealed class SharedEngine
    {
        private static readonly Dictionary<string, SharedEngine> Engines = new Dictionary<string, SharedEngine>();

        private readonly string _key;
        private int _users;

        private SharedEngine(string key, string pack, EngineOptions options)
        {
            _key = key;
            Loading = Task.Run(() => new Engine(pack, options));
        }

        /// Ends with the engine, or with why there is none.
        internal Task<Engine> Loading { get; }

        internal static SharedEngine Use(string pack, EngineOptions options)
        {
            var key = string.Join("|", pack, options.Device, options.DeviceOrdinal, options.Threads, options.RuntimePath);
            SharedEngine engine;
            // One that failed is tried again.
            if (!Engines.TryGetValue(key, out engine) || engine.Loading.IsFaulted) Engines[key] = engine = new SharedEngine(key, pack, options);
            engine._users++;
            return engine;
        }

        internal void Leave()
        {
            if (--_users > 0) return;
            SharedEngine current;
            if (Engines.TryGetValue(_key, out current) && current == this) Engines.Remove(_key);
            // Perhaps it is still loading. Freeing may wait for a device call: not here.
            Loading.ContinueWith(loaded => loaded.Result.Dispose(), TaskContinuationOptions.OnlyOnRanToCompletion);
        }
    }
}
