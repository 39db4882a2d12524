using System;
using System.IO;
using System.Runtime.InteropServices;
using System.Text;
using MuseTalk;

/// Same.exe PACK AVATAR VOICE prints a line for every frame of the voice.
internal static class Same
{
    private static readonly uint[] Table = MakeTable();

    private static void Main(string[] words)
    {
        using (var engine = new Engine(words[0], new EngineOptions { Device = Device.Cpu }))
        using (var avatar = engine.OpenAvatar(words[1]))
        {
            avatar.Push(Voice(File.ReadAllBytes(words[2])));
            avatar.Finish();
            foreach (var frame in avatar.Frames())
                Console.WriteLine(frame.UtteranceFrame + " " + Crc32(frame.Pixels) + " " + Crc32(MemoryMarshal.AsBytes(frame.Samples)));
        }
    }

    /// 16 bits mono, at 24 000 Hz, as the demonstration has it.
    private static short[] Voice(byte[] file)
    {
        for (var at = 12; at + 8 <= file.Length; at += 8 + BitConverter.ToInt32(file, at + 4))
        {
            if (Encoding.ASCII.GetString(file, at, 4) != "data") continue;
            var samples = new short[BitConverter.ToInt32(file, at + 4) / 2];
            Buffer.BlockCopy(file, at + 8, samples, 0, samples.Length * 2);
            return samples;
        }
        throw new InvalidDataException("no WAV file");
    }

    private static string Crc32(ReadOnlySpan<byte> bytes)
    {
        var crc = 0xffffffffu;
        foreach (var value in bytes) crc = crc >> 8 ^ Table[(crc ^ value) & 255];
        return (~crc).ToString("x8");
    }

    private static uint[] MakeTable()
    {
        var table = new uint[256];
        for (var at = 0u; at < 256; at++)
        {
            table[at] = at;
            for (var bit = 0; bit < 8; bit++) table[at] = table[at] >> 1 ^ ((table[at] & 1) != 0 ? 0xedb88320u : 0);
        }
        return table;
    }
}
