// A small HTTP/1.1 server on a TCP socket: keep-alive, pipelining, chunked bodies, 100-continue.
// Every wait has a time-out and every buffer a limit; what is not HTTP gets 400 and a closed connection.
using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Threading;

namespace TppMono
{
    public class Request
    {
        public string Method, Target, Path, Query, Version;
        public readonly List<KeyValuePair<string, string>> Headers = new List<KeyValuePair<string, string>>();
        public byte[] Body = new byte[0];
        public bool Chunked;
        public int OnConnection;   // how many requests the connection has carried, this one included

        // The values of a header, joined as a list; null if it is missing.
        public string Header(string name)
        {
            var values = Headers.Where(h => h.Key.Equals(name, StringComparison.OrdinalIgnoreCase)).Select(h => h.Value).ToList();
            return values.Count == 0 ? null : string.Join(", ", values);
        }
    }

    public class Answer
    {
        public int Status;
        public readonly Dictionary<string, string> Headers = new Dictionary<string, string>();
        public byte[] Body = new byte[0];
        public bool Chunked, Close;
    }

    // The client sent what cannot be answered in the normal way.
    public class BadRequest : Exception
    {
        public readonly int Status;
        public BadRequest(int status, string message) : base(message) { Status = status; }
    }

    public class HttpServer
    {
        const int MaxConnections = 256;
        const int StackBytes = 1 << 20;

        readonly TcpListener listener;
        readonly Func<Request, Answer> handle;
        readonly SemaphoreSlim places = new SemaphoreSlim(MaxConnections);

        public HttpServer(int port, Func<Request, Answer> handle)
        {
            this.handle = handle;
            listener = new TcpListener(IPAddress.Loopback, port);
            listener.Start(512);
        }

        public int Port { get { return ((IPEndPoint)listener.LocalEndpoint).Port; } }

        public void Start()
        {
            new Thread(Accept) { IsBackground = true }.Start();
        }

        void Accept()
        {
            while (true)
            {
                places.Wait();
                Socket socket = null;
                try
                {
                    socket = listener.AcceptSocket();
                    var accepted = socket;
                    new Thread(() => Serve(accepted), StackBytes) { IsBackground = true }.Start();
                }
                catch (Exception error)
                {
                    Console.Error.WriteLine("cannot accept: " + error.Message);
                    if (socket != null) socket.Close();
                    places.Release();
                    Thread.Sleep(50);
                }
            }
        }

        void Serve(Socket socket)
        {
            try
            {
                using (socket) new Connection(socket, handle).Run();
            }
            catch (IOException) { }       // the client went away or was too slow
            catch (SocketException) { }
            catch (ObjectDisposedException) { }
            catch (Exception error)
            {
                Console.Error.WriteLine("connection lost: " + error);
            }
            finally
            {
                places.Release();
            }
        }
    }

    class Connection
    {
        const int MaxLine = 16 * 1024, MaxHead = 64 * 1024, MaxBody = 16 << 20;
        const int IdleMs = 60000, RequestMs = 30000, DrainMs = 1000;

        readonly Socket socket;
        readonly Func<Request, Answer> handle;
        readonly byte[] buffer = new byte[16 * 1024];
        int start, end, headBytes, served;
        DateTime deadline;

        public Connection(Socket socket, Func<Request, Answer> handle)
        {
            this.socket = socket;
            this.handle = handle;
            socket.NoDelay = true;
            socket.SendTimeout = RequestMs;
        }

        public void Run()
        {
            bool open = true;
            while (open)
            {
                try
                {
                    var request = Read();
                    if (request == null) return;
                    var answer = handle(request);
                    open = !answer.Close && KeepsAlive(request);
                    Send(answer, request, open);
                }
                catch (BadRequest bad)
                {
                    open = false;
                    Send(Plain(bad), null, false);
                }
            }
            Drain();
        }

        static Answer Plain(BadRequest bad)
        {
            var answer = new Answer { Status = bad.Status, Body = Encoding.ASCII.GetBytes(bad.Message) };
            answer.Headers["Content-Type"] = "text/plain; charset=us-ascii";
            return answer;
        }

        static bool KeepsAlive(Request request)
        {
            var wish = (request.Header("Connection") ?? "").ToLowerInvariant();
            return request.Version == "HTTP/1.1" ? !wish.Contains("close") : wish.Contains("keep-alive");
        }

        Request Read()
        {
            deadline = DateTime.UtcNow.AddMilliseconds(IdleMs);
            if (start == end && !Fill()) return null;
            deadline = DateTime.UtcNow.AddMilliseconds(RequestMs);
            headBytes = 0;
            var line = ReadLine();
            if (line == "") line = ReadLine();   // RFC 9112 2.2: one empty line before a request is ignored
            var request = RequestLine(line);
            request.OnConnection = ++served;
            ReadHeaders(request);
            ReadBody(request);
            return request;
        }

        static Request RequestLine(string line)
        {
            var parts = line.Split(' ');
            if (parts.Length != 3 || parts[0] == "" || parts[1] == "") throw new BadRequest(400, "Bad request line");
            if (parts[2] != "HTTP/1.1" && parts[2] != "HTTP/1.0") throw new BadRequest(505, "HTTP version not supported");
            var request = new Request { Method = parts[0], Target = parts[1], Version = parts[2] };
            SplitTarget(request);
            return request;
        }

        static void SplitTarget(Request request)
        {
            var target = request.Target;
            int scheme = target.IndexOf("://", StringComparison.Ordinal);
            if (scheme > 0 && !target.StartsWith("/", StringComparison.Ordinal))
            {
                int slash = target.IndexOf('/', scheme + 3);
                target = slash < 0 ? "/" : target.Substring(slash);
            }
            int question = target.IndexOf('?');
            request.Query = question < 0 ? "" : target.Substring(question + 1);
            request.Path = Uri.UnescapeDataString(question < 0 ? target : target.Substring(0, question));
        }

        void ReadHeaders(Request request)
        {
            for (var line = ReadLine(); line != ""; line = ReadLine())
            {
                int colon = line.IndexOf(':');
                if (colon <= 0 || !line.Substring(0, colon).All(IsToken)) throw new BadRequest(400, "Bad header");
                request.Headers.Add(new KeyValuePair<string, string>(line.Substring(0, colon), line.Substring(colon + 1).Trim(' ', '\t')));
            }
            if (request.Version == "HTTP/1.1" && request.Headers.Count(h => h.Key.Equals("Host", StringComparison.OrdinalIgnoreCase)) != 1)
                throw new BadRequest(400, "One Host header is required");
        }

        static bool IsToken(char c)
        {
            return c > ' ' && c < 127 && "()<>@,;:\\\"/[]?={}".IndexOf(c) < 0;
        }

        void ReadBody(Request request)
        {
            var coding = request.Header("Transfer-Encoding");
            var length = request.Header("Content-Length");
            if (coding != null && length != null) throw new BadRequest(400, "Both Transfer-Encoding and Content-Length");
            if (coding == null && length == null) return;
            if (coding != null && !coding.Equals("chunked", StringComparison.OrdinalIgnoreCase)) throw new BadRequest(501, "Transfer coding not supported");
            int size = coding == null ? Length(length) : 0;
            Continue(request);
            request.Chunked = coding != null;
            request.Body = request.Chunked ? ReadChunks() : ReadExactly(size);
        }

        static int Length(string text)
        {
            long size;
            if (!long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out size)) throw new BadRequest(400, "Bad Content-Length");
            if (size > MaxBody) throw new BadRequest(413, "Body too large");
            return (int)size;
        }

        void Continue(Request request)
        {
            var expected = request.Header("Expect");
            if (expected == null || request.Version != "HTTP/1.1") return;
            if (!expected.Equals("100-continue", StringComparison.OrdinalIgnoreCase)) throw new BadRequest(417, "Expectation failed");
            SendAll(Encoding.ASCII.GetBytes("HTTP/1.1 100 Continue\r\n\r\n"));
        }

        byte[] ReadChunks()
        {
            var body = new MemoryStream();
            while (true)
            {
                headBytes = 0;
                int size = ChunkSize(ReadLine());
                if (body.Length + size > MaxBody) throw new BadRequest(413, "Body too large");
                if (size == 0) break;
                var chunk = ReadExactly(size);
                body.Write(chunk, 0, size);
                if (ReadLine() != "") throw new BadRequest(400, "Bad chunk");
            }
            headBytes = 0;
            while (ReadLine() != "") { }   // trailers
            return body.ToArray();
        }

        static int ChunkSize(string line)
        {
            int size;
            var digits = line.Split(';')[0].TrimEnd(' ', '\t');
            if (digits.Length > 7 || !int.TryParse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out size))
                throw new BadRequest(400, "Bad chunk size");
            return size;
        }

        string ReadLine()
        {
            var line = new StringBuilder();
            while (true)
            {
                if (start == end && !Fill()) throw new IOException("closed in the middle of a request");
                char c = (char)buffer[start++];
                if (++headBytes > MaxHead || line.Length > MaxLine) throw new BadRequest(431, "Head too large");
                if (c == '\n')
                {
                    if (line.Length > 0 && line[line.Length - 1] == '\r') line.Length--;
                    return line.ToString();
                }
                if (c == '\0') throw new BadRequest(400, "Bad character");
                line.Append(c);
            }
        }

        byte[] ReadExactly(int size)
        {
            var body = new MemoryStream(Math.Min(size, 1 << 16));
            while (body.Length < size)
            {
                if (start == end && !Fill()) throw new IOException("closed in the middle of a body");
                int take = (int)Math.Min(end - start, size - body.Length);
                body.Write(buffer, start, take);
                start += take;
            }
            return body.ToArray();
        }

        // Read more bytes; false at the end of the stream, IOException when the time is over.
        bool Fill()
        {
            int left = (int)(deadline - DateTime.UtcNow).TotalMilliseconds;
            if (left <= 0 || !socket.Poll(left * 1000, SelectMode.SelectRead)) throw new IOException("too slow");
            start = 0;
            end = socket.Receive(buffer);
            return end > 0;
        }

        void Send(Answer answer, Request request, bool open)
        {
            bool chunked = answer.Chunked && request != null && request.Version == "HTTP/1.1";
            var head = new StringBuilder();
            head.AppendFormat("HTTP/1.1 {0} {1}\r\n", answer.Status, Reasons.Of(answer.Status));
            foreach (var header in answer.Headers) head.AppendFormat("{0}: {1}\r\n", header.Key, header.Value);
            head.Append("Date: " + DateTime.UtcNow.ToString("r", CultureInfo.InvariantCulture) + "\r\n");
            head.Append(chunked ? "Transfer-Encoding: chunked\r\n" : "Content-Length: " + answer.Body.Length + "\r\n");
            if (!open) head.Append("Connection: close\r\n");
            else if (request.Version == "HTTP/1.0") head.Append("Connection: keep-alive\r\n");
            var bytes = new MemoryStream();
            Put(bytes, Encoding.ASCII.GetBytes(head + "\r\n"));
            if (request == null || request.Method != "HEAD") PutBody(bytes, answer.Body, chunked);
            SendAll(bytes.ToArray());
        }

        static void PutBody(Stream bytes, byte[] body, bool chunked)
        {
            const int piece = 37;   // an odd size, so that chunks end in the middle of characters
            for (int at = 0; chunked && at < body.Length; at += piece)
            {
                int size = Math.Min(piece, body.Length - at);
                Put(bytes, Encoding.ASCII.GetBytes(size.ToString("x") + "\r\n"));
                bytes.Write(body, at, size);
                Put(bytes, Encoding.ASCII.GetBytes("\r\n"));
            }
            Put(bytes, chunked ? Encoding.ASCII.GetBytes("0\r\n\r\n") : body);
        }

        static void Put(Stream bytes, byte[] more)
        {
            bytes.Write(more, 0, more.Length);
        }

        void SendAll(byte[] bytes)
        {
            for (int sent = 0; sent < bytes.Length;) sent += socket.Send(bytes, sent, bytes.Length - sent, SocketFlags.None);
        }

        // Let the client read the last answer before the connection goes: a close with unread bytes would reset it.
        void Drain()
        {
            socket.Shutdown(SocketShutdown.Send);
            deadline = DateTime.UtcNow.AddMilliseconds(DrainMs);
            while (Fill()) { }
        }
    }

    static class Reasons
    {
        static readonly Dictionary<int, string> known = new Dictionary<int, string>
        {
            { 200, "OK" }, { 201, "Created" }, { 207, "Multi-Status" }, { 400, "Bad Request" }, { 404, "Not Found" },
            { 405, "Method Not Allowed" }, { 406, "Not Acceptable" }, { 409, "Conflict" }, { 413, "Payload Too Large" },
            { 415, "Unsupported Media Type" }, { 417, "Expectation Failed" }, { 422, "Unprocessable Entity" },
            { 429, "Too Many Requests" }, { 431, "Request Header Fields Too Large" }, { 500, "Internal Server Error" },
            { 501, "Not Implemented" }, { 505, "HTTP Version Not Supported" },
        };

        public static string Of(int status)
        {
            string reason;
            return known.TryGetValue(status, out reason) ? reason : "Status";
        }
    }
}
