using System;
using UnityEngine;

namespace MuseTalk.Unity
{
    /// <summary>A live conversation: the microphone in, the loudspeaker out, through a face where there is one. All its methods are for the main
    /// thread; its events come from there.</summary>
    [AddComponentMenu("MuseTalk/MuseTalk Conversation")]
    public sealed partial class MuseTalkConversation : MonoBehaviour
    {
        /// Events that are told per rendered picture at most, so that a burst does not stop the game.
        private const int MostEvents = 200;

        private Conversation _talk;
        private MicrophoneReader _reader;
        private MuseTalkVoice _out;
        private Heard _told;
        private string _key;
        private bool _wanted;

        /// <summary>The key. Never saved: give it at run time, from where your player keeps it; better a short-lived one from your server. Without it
        /// the provider's variable of the environment is read.</summary>
        public string Key
        {
            set { _key = value; }
        }

        /// <summary>It has begun, and is not over.</summary>
        public bool IsOpen { get { return _talk != null; } }

        /// <summary>What it is doing, and what it has cost; the default value while it is not open.</summary>
        public ConversationDescription Description { get { return _talk == null ? default(ConversationDescription) : _talk.Description; } }

        /// <summary>Begins, as soon as the face is ready.</summary>
        public void Connect()
        {
            _wanted = true;
        }

        /// <summary>Ends it. Where one was open, <see cref="OnClosed"/> is told before this returns.</summary>
        public void Disconnect()
        {
            _wanted = false;
            Close();
        }

        /// <summary>The person writes this.</summary>
        /// <param name="text">Not empty.</param>
        public void Say(string text)
        {
            Open().SendText(text);
        }

        /// <summary>The person shows a picture.</summary>
        /// <param name="file">A PNG or JPEG file, such as <c>ImageConversion.EncodeToJPG</c> makes.</param>
        /// <param name="text">What is said with it; may be null.</param>
        public void Show(byte[] file, string text = null)
        {
            Open().SendImage(file, text);
        }

        /// <summary>Push to talk, key down.</summary>
        public void PressToTalk()
        {
            Open().TalkPress();
        }

        /// <summary>Push to talk, key up.</summary>
        public void ReleaseToTalk()
        {
            Open().TalkRelease();
        }

        /// <summary>Cuts what is being said.</summary>
        public void Interrupt()
        {
            if (_talk != null) _talk.Interrupt();
        }

        /// <summary>Asks for an answer although nobody spoke: for a greeting.</summary>
        /// <param name="instructions">For this answer; may be null.</param>
        public void Respond(string instructions = null)
        {
            Open().Respond(instructions);
        }

        /// <summary>Answers a function that the model called.</summary>
        /// <param name="id">Of the call.</param>
        /// <param name="output">Free text, JSON by habit.</param>
        public void AnswerTool(string id, string output)
        {
            Open().ToolOutput(id, output);
        }

        private Conversation Open()
        {
            if (_talk == null) throw new InvalidOperationException("the conversation is not open; wait for OnReady");
            return _talk;
        }

        private void OnEnable()
        {
            _wanted = _connectOnEnable;
        }

        private void OnDisable()
        {
            Close();
        }

        private void Update()
        {
            try
            {
                // A face that was disabled has taken the voice with it.
                if (_talk != null && _avatar != null && !_avatar.IsReady) Close();
                if (_talk == null && _wanted && MayBegin()) Begin();
                if (_talk == null) return;
                ReadOnlySpan<float> heard;
                try
                {
                    while (_reader != null && _reader.Read(out heard)) _talk.Push(heard);
                }
                catch (ClosedException)
                {
                    // The last event, which is read below, says why.
                }
                Name();
                if (_avatar == null) OpenAtOnce();
                Report();
                ConversationEvent happened;
                for (var told = 0; told < MostEvents && _talk != null && _talk.Poll(out happened); told++) Tell(happened);
            }
            catch (Exception failure)
            {
                Debug.LogException(failure, this);
                End();
                _wanted = false;
                _onClosed.Invoke(failure.Message);
            }
        }

        /// The face is there, and its voice is free: after another conversation that takes a moment.
        private bool MayBegin()
        {
            if (_avatar == null) return true;
            if (_avatar.IsLent) throw new InvalidOperationException("another conversation speaks through this face; disconnect it first");
            return _avatar.CanSpeak;
        }

        private void Begin()
        {
            _out = _avatar == null ? _voice : _avatar.Voice;
            if (_out == null) throw new InvalidOperationException("a conversation needs an avatar or a voice");
            // What it says by itself ends here.
            if (_avatar != null) _avatar.Interrupt();
            var talk = new Conversation(Options());
            _talk = talk;
            if (_avatar != null) _avatar.Lend();
            _out.SetRate(talk.Description.OutputRate);
            _out.Silenced += Interrupt;
            _out.Queue.CutAll();
            if (_useMicrophone) _reader = new MicrophoneReader(_microphone, talk.Description.InputRate);
        }

        /// Ends it by the host's will.
        private void Close()
        {
            if (_talk == null) return;
            End();
            _onClosed.Invoke("");
        }

        private void End()
        {
            if (_reader != null) _reader.Dispose();
            _reader = null;
            // The face may be another's, and its voice too.
            if (_talk == null) return;
            _talk.Dispose();
            _talk = null;
            _told = default(Heard);
            if (_out != null)
            {
                _out.Silenced -= Interrupt;
                if (_out.Queue != null) _out.Queue.CutAll();
            }
            if (_avatar != null) _avatar.TakeBack();
        }

        /// Answers sound under their own numbers until the avatar has given them its own.
        private void Name()
        {
            ulong answer;
            if (!_out.Queue.Nameless(out answer)) return;
            var utterance = _talk.Utterance(answer);
            if (utterance != 0) _out.Queue.Name(answer, utterance);
        }

        /// Without a face nothing has to be waited for.
        private void OpenAtOnce()
        {
            ulong waiting;
            if (_out.Queue.Waiting(out waiting)) _out.Queue.Open();
        }

        private void Report()
        {
            var heard = _out.Heard;
            if (heard.Utterance == 0 || heard.Equals(_told)) return;
            _talk.Heard(heard);
            _told = heard;
        }

        private void Tell(ConversationEvent happened)
        {
            switch (happened.Kind)
            {
                case EventKind.Ready: _onReady.Invoke(); break;
                case EventKind.Began: _out.Queue.Begin(happened.Answer, happened.Utterance); break;
                case EventKind.Audio: _out.Queue.Write(happened.Answer, happened.Samples); break;
                case EventKind.Ended: _out.Queue.End(happened.Answer); break;
                case EventKind.Interrupted: _out.Queue.Cut(happened.Answer); break;
                case EventKind.Posture: _onPosture.Invoke((Posture)happened.Value); break;
                case EventKind.UserSaid: _onUserSaid.Invoke(happened.Text); break;
                case EventKind.Transcript: _onTranscript.Invoke(happened.Text); break;
                case EventKind.Said: _onSaid.Invoke(happened.Text); break;
                case EventKind.Wrote: _onSaid.Invoke(happened.Text); break;
                case EventKind.ToolCall: _onToolCall.Invoke(new ToolCall(happened.Id, happened.Name, happened.Text)); break;
                case EventKind.Problem: _onProblem.Invoke(happened.Text); break;
                case EventKind.Closed: Over(happened.Text); break;
            }
        }

        private void Over(string why)
        {
            _wanted = false;
            End();
            _onClosed.Invoke(why);
        }
    }
}
