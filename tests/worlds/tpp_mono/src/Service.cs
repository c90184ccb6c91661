// The operations themselves: POST api/orders/cancellations, and POST api/orders/cancellation for one order.
using System;
using System.Collections.Generic;
using System.Linq;
using System.Text;
using System.Threading;
using System.Xml;
using Newtonsoft.Json;
using Newtonsoft.Json.Linq;
using TPP.Contracts.Services.Order;

namespace TppMono
{
    public class Service
    {
        const string Route = "/api/orders/cancellations", RouteOfOne = "/api/orders/cancellation";

        readonly World world;
        readonly Behaviour behaviour;
        int calls;

        public Service(World world, Behaviour behaviour)
        {
            this.world = world;
            this.behaviour = behaviour;
        }

        public Answer Handle(Request request)
        {
            var call = new Call
            {
                Number = Interlocked.Increment(ref calls),
                World = world,
                Request = request,
                In = MediaType.Of(request.Header("Content-Type")),
                Out = Negotiation.ForAnswer(request),
            };
            Answer answer;
            try
            {
                lock (world) answer = behaviour.Instead(call) ?? Dispatch(call);
            }
            catch (Exception error)
            {
                Console.Error.WriteLine("request failed: " + error);
                answer = FrameworkError(call, 500, "An error has occurred.");
            }
            behaviour.Finish(call, answer);
            return answer;
        }

        // What the framework does before the operation is called.
        Answer Dispatch(Call call)
        {
            var request = call.Request;
            var path = behaviour.PathIsExact ? request.Path : request.Path.TrimEnd('/').ToLowerInvariant();
            call.Single = path == RouteOfOne;
            if (path != Route && !call.Single) return FrameworkError(call, 404, "No HTTP resource was found that matches the request URI.");
            if (request.Method != "POST")
            {
                var refused = FrameworkError(call, 405, "The requested resource does not support http method '" + request.Method + "'.");
                refused.Headers["Allow"] = "POST";
                return refused;
            }
            if (behaviour.NotAcceptable && request.Header("Accept") != null && Negotiation.Accepted(request) == null)
                return FrameworkError(call, 406, "No format of the answer is acceptable.");
            var type = behaviour.ReadAs(call);
            if (type == null && request.Body.Length > 0) return FrameworkError(call, 415, "The request entity's media type is not supported for this resource.");
            var format = type == null ? Format.Json : type.Format;
            call.Reading = Reader.Read(request.Body, format, Negotiation.OfRequest(request), behaviour, call.Single);
            behaviour.Read(call);
            return Create(call);
        }

        // The operation: refuse the list as a whole, or give one result for each instruction. One order is a list of one.
        Answer Create(Call call)
        {
            var list = call.Reading.List;
            if (call.Reading.Errors.Count > 0 && !behaviour.IgnoreReadErrors) return Refuse(call, "The list of cancellation instructions could not be read.");
            if (list == null && call.Single && behaviour.NullItemFails) list = new List<CancellationCreation> { null };
            if (list == null && call.Single) return Refuse(call, "A cancellation instruction is required.");
            if (list == null && behaviour.NullListIsEmpty) list = new List<CancellationCreation>();
            if (list == null) return Refuse(call, "A list of cancellation instructions is required.");
            if (list.Count == 0 && behaviour.RefuseEmptyList) return Refuse(call, "The list of cancellation instructions is empty.");
            if (behaviour.NullItemDropped) list = list.Where(item => item != null).ToList();
            if (list.Contains(null) && !behaviour.NullItemFails) return Refuse(call, "The list holds an empty instruction.");
            call.Turns = list.Select((item, index) => new Turn { Call = call, Index = index, Instruction = item }).ToList();
            if (behaviour.RefuseBroken)
            {
                var broken = call.Turns.Where(turn => turn.Instruction != null).SelectMany(Missing).FirstOrDefault();
                if (broken != null) return Refuse(call, broken);
            }
            foreach (var turn in call.Turns) Judge(turn);
            call.Results = call.Turns.Select(turn => turn.Result).ToList();
            behaviour.AllJudged(call);
            return Respond(call);
        }

        void Judge(Turn turn)
        {
            turn.Result = new CancellationCreationResult();
            var errors = new List<string> { "The instruction is empty." };
            if (turn.Instruction != null)
            {
                turn.International = behaviour.International(turn);
                if (turn.International || behaviour.EchoBothIds) turn.Result.InternationalOrderUID = turn.Instruction.InternationalOrderUID;
                if (!turn.International || behaviour.EchoBothIds) turn.Result.OrderID = turn.Instruction.OrderID;
                errors = Complaints(turn);
            }
            if (errors.Count == 0)
            {
                behaviour.Cancel(turn);
                turn.Result.Success = true;
            }
            else turn.Result.Errors = behaviour.FirstErrorOnly ? errors.Take(1).ToList() : errors;
            behaviour.Judged(turn);
        }

        // The members that the page requires and the instruction lacks.
        IEnumerable<string> Missing(Turn turn)
        {
            turn.International = behaviour.International(turn);
            if (!behaviour.IdGiven(turn)) yield return turn.International ? "InternationalOrderUID is required for an international order." : "OrderID is required.";
            if (!behaviour.CreatorGiven(turn)) yield return "CreatorID is required for an international order.";
        }

        List<string> Complaints(Turn turn)
        {
            var errors = Missing(turn).ToList();
            if (errors.Count > 0) return errors;
            var creator = turn.Instruction.CreatorID;
            if (creator.HasValue && !behaviour.AnyCreator && !world.Creators.Contains(creator.Value)) errors.Add("Creator is not known.");
            turn.Order = behaviour.Find(turn);
            if (turn.Order == null)
            {
                errors.Add(behaviour.HideExistence ? "Order is not active." : "Order was not found.");
                return errors;
            }
            turn.Order.Attempts++;
            if (!behaviour.PinAccepted(turn)) errors.Add(turn.Instruction.PIN == null ? "PIN is required." : "PIN is not valid.");
            if (!behaviour.Active(turn)) errors.Add("Order is not active.");
            return errors;
        }

        Answer Respond(Call call)
        {
            call.Processed = true;
            var text = call.Single
                ? Writer.Result(call.Results.FirstOrDefault(), call.Out.Format, behaviour) : Writer.Results(call.Results, call.Out.Format, behaviour);
            if (call.XmlOut && behaviour.Document != null) text = Altered(text, document => behaviour.Document(call, document));
            if (!call.XmlOut && behaviour.Tree != null) text = Changed(call, JToken.Parse(text)).ToString(Newtonsoft.Json.Formatting.None);
            return Body(call, behaviour.ProcessedStatus, behaviour.Text(call, text));
        }

        // A mode changes a list of results, and so one result in a list of its own.
        JToken Changed(Call call, JToken results)
        {
            if (!call.Single || results.Type != JTokenType.Object) return behaviour.Tree(call, results);
            var changed = behaviour.Tree(call, new JArray(results));
            return changed is JArray && changed.Count() == 1 ? changed[0] : changed;
        }

        static string Altered(string text, Action<XmlDocument> alter)
        {
            var document = new XmlDocument { PreserveWhitespace = true };
            document.LoadXml(text);
            alter(document);
            return document.OuterXml;
        }

        // The operation's own error: a string.
        Answer Refuse(Call call, string message)
        {
            return Body(call, behaviour.RefusedStatus, behaviour.ErrorText(call, Writer.Text(message, call.Out.Format, behaviour)));
        }

        Answer FrameworkError(Call call, int status, string message)
        {
            return Body(call, status, behaviour.FrameworkErrorsAsString
                ? Writer.Text(message, call.Out.Format, behaviour)
                : Writer.FrameworkError(message, call.Out.Format, behaviour));
        }

        Answer Body(Call call, int status, string text)
        {
            var encoding = Charset(call);
            var answer = new Answer { Status = status };
            answer.Headers["Cache-Control"] = "no-cache";
            answer.Headers["Pragma"] = "no-cache";
            answer.Headers["Expires"] = "-1";
            answer.Headers["Content-Type"] = call.Out.Name + "; charset=" + encoding.WebName;
            answer.Body = encoding.GetPreamble().Concat(encoding.GetBytes(text)).ToArray();
            return answer;
        }

        Encoding Charset(Call call)
        {
            Encoding accepted = behaviour.IgnoreAcceptCharset ? null : Negotiation.AcceptedCharset(call.Request);
            if (accepted != null) return accepted;
            return behaviour.CharsetOfRequest ? Negotiation.OfRequest(call.Request) : Negotiation.Utf8;
        }
    }
}
