// Differences that the page leaves open: a server in one of these modes is still correct.
using System;
using System.Collections.Generic;
using System.IO;
using System.IO.Compression;
using System.Linq;
using System.Text.RegularExpressions;
using System.Threading;
using TPP.Contracts.Services.Order;

namespace TppMono
{
    static class Permitted
    {
        public static IEnumerable<Mode> Modes()
        {
            // Status and framing
            yield return New("status-201", "a processed list is answered with 201", b => b.ProcessedStatus = 201);
            yield return New("status-207", "a processed list is answered with 207", b => b.ProcessedStatus = 207);
            yield return New("refused-422", "a list that is refused is answered with 422", b => b.RefusedStatus = 422);
            yield return New("chunked", "answers have chunked transfer coding", b => b.Finish = (call, answer) => answer.Chunked = true);
            yield return New("close-each", "the connection is closed after each answer", b => b.Finish = (call, answer) => answer.Close = true);
            yield return New("gzip", "long answers are compressed, as is allowed where Accept-Encoding is missing", b => b.Finish = (call, answer) => Compress(answer));
            yield return New("slow", "each answer takes 150 ms", b => b.Finish = (call, answer) => Thread.Sleep(150));
            yield return New("cancels-late", "a cancellation shows half a second after its answer", b => b.Cancel = Late);
            yield return New("throttles", "every 60th request is answered with 429 and Retry-After", Throttles);

            // Results
            yield return New("nulls-left-out", "null members are left out, in JSON and XML", b => b.LeaveOutNulls = true);
            yield return New("results-reversed", "the results come in reverse order if each carries an id", b => b.AllJudged = call => Reorder(call, r => r.Reverse<CancellationCreationResult>()));
            yield return New("failures-first", "failed results come first if each result carries an id", b => b.AllJudged = call => Reorder(call, r => r.OrderBy(x => x.Success)));
            yield return New("empty-errors", "a successful result has an empty list of errors in place of null", b => b.Judged = EmptyErrors);
            yield return New("uid-upper-case", "GUIDs are written in upper case", b => b.Text = UpperUids);
            yield return New("echo-both-ids", "a result carries both ids if the instruction has both", b => b.EchoBothIds = true);
            yield return New("first-error-only", "a failed result names only its first error", b => b.FirstErrorOnly = true);
            yield return New("existence-hidden", "an unknown order is called not active", b => b.HideExistence = true);

            // Rules
            yield return New("pin-always", "every order asks for the PIN", b => b.PinPolicy = PinPolicy.Always);
            yield return New("pin-never", "no order asks for a PIN", b => b.PinPolicy = PinPolicy.Never);
            yield return New("any-creator", "every CreatorID is known", b => b.AnyCreator = true);
            yield return New("broken-refuses-list", "an instruction without a required member refuses the whole list", b => b.RefuseBroken = true);
            yield return New("null-item-fails", "a null in the list gets a failed result", b => b.NullItemFails = true);
            yield return New("wrong-item-fails", "a null, a number or a string in a JSON list gets a failed result", b => b.NullItemFails = b.WrongItemIsNull = true);
            yield return New("null-item-dropped", "a null in the list is passed over", b => b.NullItemDropped = true);
            yield return New("empty-list-refused", "an empty list is refused", b => b.RefuseEmptyList = true);
            yield return New("no-list-is-empty", "an empty body or null counts as an empty list", b => b.NullListIsEmpty = true);
            yield return New("ids-64-bit", "integers have 64 bits", b => b.WideIds = true);

            // Formats
            yield return New("prefix-a", "XML uses the prefix a, as the dictionary writer chooses it", b => b.PrefixA = true);
            yield return New("indented", "answers are indented", b => b.Indent = true);
            yield return New("xml-declaration", "XML answers begin with an XML declaration", b => b.Text = Declare);
            yield return New("json-escapes", "JSON strings contain escapes", b => b.Text = (call, text) => call.XmlOut ? text : text.Replace(" not ", "\\u0020not\\u0020"));
            yield return New("members-shuffled", "JSON members come in another order", b => b.Tree = (call, tree) => Shapes.Shuffle(tree));
            yield return New("charset-of-request", "without Accept-Charset the answer has the charset of the request", b => b.CharsetOfRequest = true);
            yield return New("utf8-only", "Accept-Charset is ignored", b => b.IgnoreAcceptCharset = true);
            yield return New("charset-quoted", "the charset is upper case and quoted", b => b.Finish = (call, answer) => QuoteCharset(answer));
            yield return New("framework-errors-as-string", "404, 405 and 415 carry a string, too", b => b.FrameworkErrorsAsString = true);
            yield return New("not-acceptable", "406 if Accept names no format of ours", b => b.NotAcceptable = true);
            yield return New("strict-json", "what is not JSON by its grammar is refused", b => b.StrictJson = true);
            yield return New("exact-path", "another case of the path or a trailing slash is 404", b => b.PathIsExact = true);
        }

        static Mode New(string name, string description, Action<Behaviour> apply)
        {
            return new Mode { Kind = "permitted", Name = name, Description = description, Apply = apply };
        }

        static void Compress(Answer answer)
        {
            if (answer.Body.Length < 1000) return;
            var bytes = new MemoryStream();
            using (var zip = new GZipStream(bytes, CompressionMode.Compress, true)) zip.Write(answer.Body, 0, answer.Body.Length);
            answer.Body = bytes.ToArray();
            answer.Headers["Content-Encoding"] = "gzip";
        }

        static void Late(Turn turn)
        {
            turn.Order.Standing = Standing.Cancelled;
            turn.Order.ShowsFrom = DateTime.UtcNow.AddMilliseconds(500);
        }

        static void Throttles(Behaviour behaviour)
        {
            behaviour.Instead = call =>
            {
                if (call.Number % 60 != 0) return null;
                var answer = Shapes.Plain(call, 429, Writer.Text("Too many requests.", call.Out.Format, behaviour));
                answer.Headers["Retry-After"] = "1";
                return answer;
            };
        }

        // Another order is allowed only where each result says by its id, and by no other's, what it is for.
        static void Reorder(Call call, Func<List<CancellationCreationResult>, IEnumerable<CancellationCreationResult>> order)
        {
            var ids = call.Results.Select(r => r.OrderID.HasValue ? r.OrderID.ToString() : r.InternationalOrderUID.ToString()).ToList();
            if (ids.Contains("") || ids.Distinct().Count() < ids.Count) return;
            call.Results = order(call.Results).ToList();
        }

        static void EmptyErrors(Turn turn)
        {
            if (turn.Result.Success) turn.Result.Errors = new List<string>();
        }

        static string UpperUids(Call call, string text)
        {
            return Regex.Replace(text, "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", match => match.Value.ToUpperInvariant());
        }

        static string Declare(Call call, string text)
        {
            if (!call.XmlOut) return text;
            var charset = Negotiation.AcceptedCharset(call.Request) ?? Negotiation.Utf8;
            return "<?xml version=\"1.0\" encoding=\"" + charset.WebName + "\"?>" + text;
        }

        static void QuoteCharset(Answer answer)
        {
            answer.Headers["Content-Type"] = Regex.Replace(answer.Headers["Content-Type"], "charset=(.*)", m => "charset=\"" + m.Groups[1].Value.ToUpperInvariant() + "\"");
        }
    }
}
